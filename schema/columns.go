package schema

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Columns are the columns of an export in the order of its header, with what each row's
// fingerprint needs of their names, prepared once.
type Columns struct {
	Names      []string
	sorted     []hashedName // by name
	hashedSize int          // upper bound of the bytes hashed besides the values, including their lengths
}

// hashedName is a column's name in the form that is hashed.
type hashedName struct {
	column int
	name   CopiedText
}

// DoubledError reports a header with a duplicate name. Columns are counted from 1.
type DoubledError struct {
	Name          string
	First, Second int
}

func (e *DoubledError) Error() string { return fmt.Sprintf("column %q occurs twice", e.Name) }

// NewColumns refuses empty and duplicate names, because rows could then not be told apart.
func NewColumns(names []string) (*Columns, error) {
	c := &Columns{Names: names, sorted: make([]hashedName, len(names))}
	for i, name := range names {
		if name == "" {
			return nil, fmt.Errorf("column %d has no name", i+1)
		}
		c.sorted[i] = hashedName{column: i, name: NewCopiedText(append(binary.AppendUvarint(nil, uint64(len(name))), name...))}
		c.hashedSize += len(c.sorted[i].name.Text) + binary.MaxVarintLen32
	}
	slices.SortFunc(c.sorted, func(a, b hashedName) int { return strings.Compare(names[a.column], names[b.column]) })
	for i := 1; i < len(c.sorted); i++ {
		if names[c.sorted[i-1].column] == names[c.sorted[i].column] {
			first, second := c.sorted[i-1].column, c.sorted[i].column
			return nil, &DoubledError{Name: names[first], First: min(first, second) + 1, Second: max(first, second) + 1}
		}
	}
	return c, nil
}

// Index is the index of a column, or -1.
func (c *Columns) Index(name string) int { return slices.Index(c.Names, name) }
