package schema

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Columns are the columns of an export in the order of its header, with what each row's fingerprint and JSON need of their names, made once.
type Columns struct {
	Names  []string
	byName []int    // indexes of Names, sorted by name
	hashed [][]byte // by index: the name as the fingerprint takes it
	member [][]byte // by index: ,"name":  as JSON
}

// NewColumns refuses an empty or doubled name: its rows could not be told apart from others.
func NewColumns(names []string) (*Columns, error) {
	c := &Columns{Names: names, byName: make([]int, len(names)), hashed: make([][]byte, len(names)), member: make([][]byte, len(names))}
	for i, name := range names {
		if name == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		c.byName[i] = i
		c.hashed[i] = append(binary.AppendUvarint(nil, uint64(len(name))), name...)
		c.member[i] = append(appendString([]byte{','}, []byte(name)), ':')
	}
	slices.SortFunc(c.byName, func(a, b int) int { return strings.Compare(names[a], names[b]) })
	for i := 1; i < len(c.byName); i++ {
		if names[c.byName[i-1]] == names[c.byName[i]] {
			return nil, fmt.Errorf("column %q stands there twice", names[c.byName[i]])
		}
	}
	return c, nil
}

// Index is the place of a column, or -1.
func (c *Columns) Index(name string) int { return slices.Index(c.Names, name) }

// Difference lists the names that c has and old has not, and the reverse; moved says that the names common to both changed their order.
func (c *Columns) Difference(old *Columns) (added, gone []string, moved bool) {
	last := -1
	for _, name := range c.Names {
		switch i := old.Index(name); {
		case i < 0:
			added = append(added, name)
		case i < last:
			moved = true
		default:
			last = i
		}
	}
	for _, name := range old.Names {
		if c.Index(name) < 0 {
			gone = append(gone, name)
		}
	}
	return added, gone, moved
}
