package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// clampFutureTimes takes times of the future for now. A clock that was ahead wrote
// them, and everything would wait for that clock's time; within one process times are
// compared by the monotonic clock, which does not jump.
func (s *Stream) clampFutureTimes(now time.Time) {
	s.stops.clampFutureTimes(now)
	s.days.clampFutureTimes(now)
}

func (l days) clampFutureTimes(now time.Time) {
	for _, d := range l {
		r := &d.record
		for _, at := range []**time.Time{&r.FirstExport, &r.LastExport, &r.LastSuccess, &r.MissingTried} {
			*at = Past(*at, now)
		}
		if r.Error != nil && r.Error.At.After(now) {
			fault := *r.Error
			fault.At, fault.Until = now, now
			r.Error = &fault
		}
	}
}

func (s *stops) clampFutureTimes(now time.Time) {
	if s.halted != nil && s.halted.Since.After(now) {
		halt := *s.halted
		halt.Since, halt.Until = now, now
		s.halted = &halt
	}
}

// Past is at, or now if that is earlier.
func Past(at *time.Time, now time.Time) *time.Time {
	if at == nil || !at.After(now) {
		return at
	}
	return &now
}

// reopen takes back what a clock that was ahead, or a shorter START, has made of a day
// within the reach, and reports whether there was something: a day that counted as
// lost, one that was settled before its time or without an export after it, a last look
// that was not the last.
func (c *calendar) reopen(d *Day, today schema.Day, now time.Time, loc *time.Location) bool {
	r, at := &d.record, d.name.Day
	switch {
	case at < c.first(today) || at > today || c.Kind.Snapshot():
		return false
	case r.State == ledger.Gap && !d.refused():
		return d.move(reopens)
	case r.State == ledger.Settled && (!r.Final && !d.refused() || now.Before(c.settles(at, loc))) && r.LastSuccess != nil:
		return d.move(reopens)
	case r.LastLook && today-at < schema.Reach-1:
		r.LastLook, d.changed = false, true
		return true
	}
	return false
}
