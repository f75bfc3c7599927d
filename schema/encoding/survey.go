package encoding

import (
	"bytes"
	"slices"
)

// Survey counts which types accept the cells of one column. The zero Survey is
// empty.
type Survey struct {
	Filled int // cells that were not empty

	refused  [len(surveyed)]int
	decimals int // cells that are decimals
	whole    int // maximum of digits before the point
	fraction int // maximum of digits after the point
}

// surveyed are the types that a Survey tries, most specific first.
// Decimal is handled separately: its precision follows from the cells.
var surveyed = [...]Kind{Boolean, Long, Double, Date, Datetime, DatetimeMicros, LongArray, DoubleArray, StringArray}

// Add counts a cell.
func (s *Survey) Add(cell []byte) {
	if len(cell) == 0 {
		return
	}
	s.Filled++
	for i, kind := range surveyed {
		if !(Type{Kind: kind}).Accepts(cell) {
			s.refused[i]++
		}
	}
	whole, fraction := digits(cell)
	if whole+fraction <= MaxPrecision && (Type{Kind: Decimal, Precision: whole + fraction, Scale: fraction}).Accepts(cell) {
		s.decimals++
		s.whole, s.fraction = max(s.whole, whole), max(s.fraction, fraction)
	}
}

// digits counts the digits before and after the point of a number.
func digits(cell []byte) (whole, fraction int) {
	before, after, _ := bytes.Cut(bytes.TrimPrefix(cell, []byte("-")), []byte("."))
	return max(1, len(before)), len(after)
}

// Candidate is a type with which a column could be declared.
type Candidate struct {
	Type     Type `json:"type"`
	Rejected int  `json:"rejected"` // filled cells that it refuses
}

// tolerated is the share of cells that a candidate may refuse: one in so many.
const tolerated = 20

// Candidates returns the types that refuse few or none of the cells, those with the
// fewest first. A column without filled cells has none. String, which accepts
// everything, is not included.
func (s *Survey) Candidates() []Candidate {
	var list []Candidate
	add := func(t Type, rejected int) {
		if s.Filled > 0 && rejected*tolerated <= s.Filled {
			list = append(list, Candidate{t, rejected})
		}
	}
	for i, kind := range surveyed {
		if kind == Double && s.fraction > 0 && s.whole+s.fraction <= MaxPrecision {
			add(Type{Kind: Decimal, Precision: s.whole + s.fraction, Scale: s.fraction}, s.Filled-s.decimals)
		}
		add(Type{Kind: kind}, s.refused[i])
	}
	slices.SortStableFunc(list, func(a, b Candidate) int { return a.Rejected - b.Rejected })
	return list
}
