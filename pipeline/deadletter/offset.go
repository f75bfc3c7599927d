package deadletter

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Offset is the position of a dead letter in its topic. It identifies the letter.
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
		return Offset{}, fmt.Errorf("%q does not identify a dead letter: use PARTITION/OFFSET, such as 3/17", name)
	}
	return Offset{int(partition), offset}, nil
}

// Sorted returns the offsets of a command without duplicates, sorted so that
// neighbours are read together.
func Sorted(named [][2]int64) []Offset {
	offsets := make([]Offset, len(named))
	for i, o := range named {
		offsets[i] = Offset{int(o[0]), min(o[1], math.MaxInt64-1)} // so that Offset+1 does not overflow
	}
	slices.SortFunc(offsets, func(a, b Offset) int { return cmp.Or(a.Partition-b.Partition, cmp.Compare(a.Offset, b.Offset)) })
	return slices.Compact(offsets)
}
