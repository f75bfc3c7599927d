package recovery

import (
	"context"
	"fmt"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
)

// note keeps a row, or the dead letter of one, that a replaced log has: the ledger may have it as well.
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

// unite adds what replaced logs have and the ledger lacks, one day after the other: only one day of the ledger is in memory.
func (r *reader) unite(ctx context.Context) error {
	for name, f := range r.found {
		known, err := r.Ledger.LoadSet(ctx, name)
		if err != nil {
			return fmt.Errorf("recover %s %s: %w", name.Stream, name.Day, err)
		}
		// What a partition that was not replaced has behind its mark is in neither.
		r.day(name).publish(known)
		for _, of := range []struct {
			set      *dedup.Set
			isLetter bool
		}{{&f.rows, false}, {&f.letters, true}} {
			for print, number := range of.set.All {
				if known.Put(print, number) {
					r.day(name).add(0, dedup.Copy{Fingerprint: print, Number: number}, of.isLetter)
				}
			}
		}
		delete(r.found, name)
	}
	return nil
}

// publish puts what is recovered of the day into a set.
func (d *Day) publish(set *dedup.Set) {
	first, others := d.Copies.Unsaved()
	for print := range first {
		set.Put(print, 0)
	}
	for c := range others {
		set.Put(c.Fingerprint, c.Number)
	}
}
