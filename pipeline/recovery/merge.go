package recovery

import (
	"context"
	"fmt"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
)

// note stores a row, or the dead letter of a row, that may also be in the ledger, or be repeated
// in the log.
func (r *reader) note(name ledger.DayName, export int, c dedup.Copy, isLetter bool) {
	r.day(name).number(export)
	f := r.found[name]
	if f == nil {
		f = &found{}
		r.found[name] = f
	}
	set := &f.rows
	if isLetter {
		set = &f.letters
	}
	set.Put(c.Fingerprint, c.Number)
}

// merge adds the noted copies that the ledger lacks, one day after
// another, so that only one day of the ledger is in memory.
func (r *reader) merge(ctx context.Context) error {
	for name, f := range r.found {
		known, err := r.Ledger.LoadSet(ctx, name)
		if err != nil {
			return fmt.Errorf("recover %s %s: %w", name.Stream, name.Day, err)
		}
		// Records after the mark of a partition that was not replaced are in neither.
		r.day(name).publish(known)
		for _, of := range []struct {
			set      *dedup.Set
			isLetter bool
		}{{&f.rows, false}, {&f.letters, true}} {
			for fingerprint, number := range of.set.All {
				if known.Put(fingerprint, number) {
					r.day(name).add(0, dedup.Copy{Fingerprint: fingerprint, Number: number}, of.isLetter)
				}
			}
		}
		delete(r.found, name)
	}
	return nil
}

// publish adds the recovered rows of the day to a set.
func (d *Day) publish(set *dedup.Set) {
	first, others := d.Copies.Unsaved()
	for fingerprint := range first {
		set.Put(fingerprint, 0)
	}
	for c := range others {
		set.Put(c.Fingerprint, c.Number)
	}
}
