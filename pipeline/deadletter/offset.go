package deadletter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Offset is where a dead letter is in its topic, and its name.
type Offset struct {
	Partition int
	Offset    int64
}

// String is PARTITION/OFFSET.
func (o Offset) String() string { return fmt.Sprintf("%d/%d", o.Partition, o.Offset) }

// ParseOffset is the inverse of String.
func ParseOffset(name string) (Offset, error) {
	p, o, ok := strings.Cut(name, "/")
	partition, err := strconv.ParseInt(p, 10, 32)
	offset, err2 := strconv.ParseInt(o, 10, 64)
	if !ok || err != nil || err2 != nil || partition < 0 || offset < 0 {
		return Offset{}, fmt.Errorf("%q is not the name of a dead letter, PARTITION/OFFSET such as 3/17", name)
	}
	return Offset{int(partition), offset}, nil
}

// Sorted are the offsets that a command names, each once, so that neighbours are
// read together.
func Sorted(named [][2]int64) []Offset {
	offsets := make([]Offset, len(named))
	for i, o := range named {
		offsets[i] = Offset{int(o[0]), min(o[1], math.MaxInt64-1)} // there is one behind each
	}
	slices.SortFunc(offsets, func(a, b Offset) int { return cmp.Or(a.Partition-b.Partition, cmp.Compare(a.Offset, b.Offset)) })
	return slices.Compact(offsets)
}
