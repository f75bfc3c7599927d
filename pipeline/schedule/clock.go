package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// clampFutureTimes replaces times in the future by now. They were written while the
// clock was ahead, and would delay everything until then. Within one process, times are
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

// Past returns the earlier of at and now.
func Past(at *time.Time, now time.Time) *time.Time {
	if at == nil || !at.After(now) {
		return at
	}
	return &now
}

// reopen reverts what a clock that was ahead, or a shorter START, did to a day within
// the API's reach, and reports whether it changed anything: a day that was counted as
// lost, a day that was settled too early or without an export after it, a last look
// that was not the last.
func (c *calendar) reopen(d *Day, today schema.Day, now time.Time, loc *time.Location) bool {
	r, at := &d.record, d.name.Day
	switch {
	case at < c.first(today) || at > today || c.Kind.Snapshot():
		return false
	case r.State == ledger.Gap && !d.isOutOfReach():
		return d.move(reopens)
	case r.State == ledger.Settled && (!r.Final && !d.isOutOfReach() || now.Before(c.settles(at, loc))) && r.LastSuccess != nil:
		return d.move(reopens)
	case r.LastLook && !leavesSoon(at, today):
		r.LastLook, d.changed = false, true
		return true
	}
	return false
}
