package transfer

// Tally counts the rows of an export.
type Tally struct {
	Published, Duplicates int // good rows
	Bad, NewBad           int // bad rows, and those of them that had no dead letter so far
	Deleted               int // profiles
	Bytes                 int64
}

// Rows is the number of good rows.
func (a Tally) Rows() int { return a.Published + a.Duplicates }

func (a Tally) minus(b Tally) Tally {
	return Tally{Published: a.Published - b.Published, Duplicates: a.Duplicates - b.Duplicates,
		Bad: a.Bad - b.Bad, NewBad: a.NewBad - b.NewBad, Deleted: a.Deleted - b.Deleted, Bytes: a.Bytes - b.Bytes}
}
