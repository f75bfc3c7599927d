package dedup

import (
	"iter"

	"dfinery-kafka/schema"
)

// Copy is one of several identical rows.
type Copy struct {
	Fingerprint schema.Fingerprint
	Number      int
}

// Day is the published rows of one day: their set, and those rows that are not yet in
// the ledger. The zero Day has no set and nothing unsaved.
type Day struct {
	// Set is nil while the ledger's rows are not loaded. It may be set or dropped
	// only when nothing is unsaved.
	Set *Set

	chunks   [][]schema.Fingerprint // unsaved, each the lowest copy not published before
	numbered []Copy                 // unsaved, the others
	rewrite  bool
}

// chunkSize is how many rows Add and Recover collect before they return true.
const chunkSize = 16_384

// Add marks the row that the set observed last as published. It returns true for the
// first row of each chunk.
func (d *Day) Add(f schema.Fingerprint, copyNumber int) (newChunk bool) {
	if d.Set.Add(f) {
		return d.note(f)
	}
	return d.noteCopy(Copy{f, copyNumber})
}

// AddCopy marks one copy as published that was not, independent of what was observed.
// It returns true for the first row of each chunk.
func (d *Day) AddCopy(c Copy) (newChunk bool) {
	d.Set.Put(c.Fingerprint, c.Number)
	return d.noteCopy(c)
}

// Recover adds a published row that is not in the ledger, without using the set.
func (d *Day) Recover(c Copy) { d.noteCopy(c) }

// note adds an unsaved row. Rows are kept in chunks, so that the list grows without copying.
func (d *Day) note(f schema.Fingerprint) (newChunk bool) {
	n := len(d.chunks)
	if n == 0 || len(d.chunks[n-1]) == chunkSize {
		room := 0 // most lists stay short
		if n > 0 {
			room = chunkSize
		}
		d.chunks = append(d.chunks, make([]schema.Fingerprint, 0, room))
		n++
		newChunk = true
	}
	d.chunks[n-1] = append(d.chunks[n-1], f)
	return newChunk
}

// noteCopy adds an unsaved copy. Number 0 is always the lowest copy that was not
// published.
func (d *Day) noteCopy(c Copy) (newChunk bool) {
	if c.Number == 0 {
		return d.note(c.Fingerprint)
	}
	d.numbered = append(d.numbered, c)
	return len(d.numbered)%chunkSize == 1
}

// Rewrite requests that the whole set is saved in one run, replacing what the ledger
// has. It has no effect until the set is loaded.
func (d *Day) Rewrite() { d.rewrite = true }

// Rewriting reports whether the whole set is to be saved.
func (d *Day) Rewriting() bool { return d.rewrite && d.Set != nil }

// Dirty reports whether there is anything to save, now or once the set is loaded.
func (d *Day) Dirty() bool { return len(d.chunks) > 0 || len(d.numbered) > 0 || d.rewrite }

// Unsaved returns what must be saved: first rows of which each is the lowest copy not
// saved before it, then the others with their copy numbers. The order matters only
// to other releases: any order loads as the same set.
func (d *Day) Unsaved() (rows iter.Seq[schema.Fingerprint], numbered iter.Seq[Copy]) {
	if d.Rewriting() {
		return d.Set.inOrder, d.Set.outOfOrder
	}
	rows = func(yield func(schema.Fingerprint) bool) {
		for _, chunk := range d.chunks {
			for _, f := range chunk {
				if !yield(f) {
					return
				}
			}
		}
	}
	return rows, func(yield func(Copy) bool) {
		for _, c := range d.numbered {
			if !yield(c) {
				return
			}
		}
	}
}

// Saved marks everything as saved.
func (d *Day) Saved() { d.chunks, d.numbered, d.rewrite = nil, nil, false }
