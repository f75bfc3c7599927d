package pipeline

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// dropFuture takes the future out of what the ledger says. A clock that was ahead wrote it, and everything would wait for that clock's time;
// within one process times are compared by the monotonic clock, which does not jump.
func (t *tenure) dropFuture(now time.Time) {
	for _, st := range t.streams {
		for _, d := range st.days {
			r := &d.record
			for _, at := range []**time.Time{&r.FirstExport, &r.LastExport, &r.LastSuccess, &r.MissingTried} {
				*at = past(*at, now)
			}
			if r.Error != nil && r.Error.At.After(now) {
				fault := *r.Error
				fault.At, fault.Until = now, now
				r.Error = &fault
			}
		}
		if h := st.kept.Halted; h != nil && h.Since.After(now) {
			halt := *h
			halt.Since, halt.Until = now, now
			st.kept.Halted = &halt
		}
	}
	for _, c := range t.commands {
		c.Taken = past(c.Taken, now)
	}
}

func past(at *time.Time, now time.Time) *time.Time {
	if at == nil || !at.After(now) {
		return at
	}
	return &now
}

// retract takes back what a clock that was ahead, or a shorter START, has made of a day within the reach, and tells whether there was
// something: a day that counted as lost, one that was settled before its time or without an export after it, a last look that was not the last.
func (s *stream) retract(d *day, today schema.Day, now time.Time, loc *time.Location) bool {
	r := &d.record
	name := d.name.Day
	switch {
	case name < s.first(today) || name > today || s.Kind != schema.Event:
		return false
	case r.State == ledger.Gap && !d.refused():
		r.State = ledger.Pending
	case r.State == ledger.Settled && (!r.Final && !d.refused() || now.Before(s.settles(name, loc))) && r.LastSuccess != nil:
		r.State, r.Final = ledger.Open, false
	case r.LastLook && today-name < schema.Reach-1:
		r.LastLook = false
	default:
		return false
	}
	d.changed = true
	return true
}
