package transfer

import (
	"errors"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// prefetched are rows that were fetched but not yet published: as many as have arrived,
// up to prefetchRows. Their slots in the day's set are read before the first of them is
// looked up, so that the processor loads the memory for all of them in parallel: with a
// million known rows that saves 130 ns per row, after deducting the cost of copying the
// rows.
type prefetched struct {
	n            int
	fingerprints [prefetchRows]schema.Fingerprint
	rows         [prefetchRows]schema.Row // copies of all but the last
	last         *schema.Row              // owned by the body until its next call; nil if fetching was stopped
	hasher       schema.Hasher
	view         *privacy.View // makes public rows; nil: all cells are public
	long         schema.Row    // the public row of a row that is too long to be held
}

const (
	prefetchRows = 16 // with 8 the gain is smaller, with 32 it is the same
	mostHeld     = 4 << 10
)

// fetch reads rows from the body until no more have arrived. It never waits while it
// holds a row, and never copies a long row. An error is handled after the rows before
// it.
func (p *prefetched) fetch(body Body) error {
	p.n, p.last = 0, nil
	for {
		row, err := body.Next()
		if err != nil {
			return err
		}
		n, long := p.n, len(row.Data) > mostHeld
		if p.view != nil {
			row = p.public(row, long)
		}
		p.fingerprints[n] = p.hasher.Row(row)
		p.n++
		if p.n == prefetchRows || long || !body.More() {
			p.last = row
			return nil
		}
		if p.view == nil {
			row.CopyInto(&p.rows[n])
		}
	}
}

// hasRow reports whether there is a row: one that was fetched, or a bad one that
// stopped fetching.
func (p *prefetched) hasRow(stopped error) bool {
	_, bad := errors.AsType[*schema.BadRow](stopped)
	return bad || p.n > 0
}

// all yields the fetched rows.
func (p *prefetched) all(yield func(*schema.Row) bool) {
	for i := range p.n {
		if !yield(p.row(i)) {
			return
		}
	}
}

// public returns the public row of the body's next row. It borrows nothing, so it can
// be held.
func (p *prefetched) public(row *schema.Row, long bool) *schema.Row {
	to := &p.rows[p.n]
	if long {
		to = &p.long
	}
	p.view.Public(to, row)
	return to
}

// row returns the i-th fetched row.
func (p *prefetched) row(i int) *schema.Row {
	if p.last != nil && i == p.n-1 {
		return p.last
	}
	return &p.rows[i]
}
