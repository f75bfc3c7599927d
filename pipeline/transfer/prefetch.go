package transfer

import (
	"errors"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// prefetched is rows that were fetched and not published yet: as many as have arrived,
// up to prefetchRows. Their places in the day's set are looked at before the first of
// them is looked up, so that the processor waits for its memory once for all of them
// instead of for one after the other: with a million known rows that saves 130 ns a
// row, what copying the rows costs taken off.
type prefetched struct {
	n      int
	prints [prefetchRows]schema.Fingerprint
	rows   [prefetchRows]schema.Row // copies of all but the last
	last   *schema.Row              // the body's own, until its next call; nil when fetching was stopped
	hasher schema.Hasher
	view   *privacy.View // makes public rows; nil: all cells are public
	long   schema.Row    // the public one of a row that is too long to be held
}

const (
	prefetchRows = 16 // with 8 the gain is smaller, with 32 it is the same
	mostHeld     = 4 << 10
)

// fetch takes rows from the body until no more have arrived. It never waits while it
// holds a row, nor holds a copy of a long one. An error ends it behind the rows before.
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
		p.prints[n] = p.hasher.Row(row)
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

// hasRow reports whether a row was met: one that was fetched, or a bad one that stopped
// the fetching.
func (p *prefetched) hasRow(stopped error) bool {
	_, bad := errors.AsType[*schema.BadRow](stopped)
	return bad || p.n > 0
}

// public is the public row of the body's next one. It borrows nothing, so it is held as it is.
func (p *prefetched) public(row *schema.Row, long bool) *schema.Row {
	to := &p.rows[p.n]
	if long {
		to = &p.long
	}
	p.view.Public(to, row)
	return to
}

// row is the i-th row fetched.
func (p *prefetched) row(i int) *schema.Row {
	if p.last != nil && i == p.n-1 {
		return p.last
	}
	return &p.rows[i]
}
