package schedule

import (
	"cmp"
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// urgency orders days that are due at the same time.
type urgency int

const (
	leaving  urgency = iota // about to leave the reach, and never exported
	todays                  // today's poll
	backfill                // everything else: days before today, retries, last looks
)

// Due is one day's next export.
type Due struct {
	Stream string
	Day    schema.Day
	At     time.Time     // earliest time
	Waits  schema.Reason // the reason of the wait until then
	Probe  bool          // requests one day more than configured

	stream  *Stream
	urgency urgency
	failed  int // failed calls since the last success
}

// Next returns the export to make now. Without one, recheck is the time to call it
// again: when the next one is due, or at the end of the day.
func (s *State) Next(now time.Time) (due Due, ok bool, recheck time.Time) {
	recheck = s.policy.today(now).End(s.policy.Location)
	for _, d := range s.plan(now) {
		if !d.startable(s.policy.Once, now) {
			continue
		}
		if !d.At.After(now) {
			return d, true, now
		}
		if d.At.Before(recheck) {
			recheck = d.At
		}
		break // the rest of the plan is due later
	}
	return Due{}, false, recheck
}

// Smallest returns, of the exports that are due, the one that had the fewest rows at
// its last success; first if unknown. It is the cheapest test of whether the source
// works again.
func (s *State) Smallest(first Due, now time.Time) Due {
	best, rows := first, -1
	for _, d := range s.plan(now) {
		if d.At.After(now) || !d.startable(s.policy.Once, now) {
			continue
		}
		if known := d.stream.days[d.Day]; known != nil && known.record.LastSuccess != nil && (rows < 0 || known.record.Rows < rows) {
			best, rows = d, known.record.Rows
		}
	}
	return best
}

// startable reports whether the call may be made once it is due. once is the policy's.
func (d *Due) startable(once *Once, now time.Time) bool {
	return d.stream.stopped(now).For == "" && !d.stream.retrying() && (once == nil || once.wants(d, now))
}

// Spare returns how many calls must be left in the quota after this one: a backfill
// reserves an hour of today's polls.
func (s *State) Spare(d Due) int {
	if d.urgency != backfill {
		return 0
	}
	polls := 0
	for _, st := range s.streams {
		polls += st.pollsPerHour()
	}
	return min(polls, s.policy.CallsPerHour/2)
}

// plan lists the next export of each day in order. Exports that are due come first: by
// urgency, failing days last, then the stream that waited longest, the fewest failures,
// the oldest day. The others follow by time.
func (s *State) plan(now time.Time) []Due {
	today := s.policy.today(now)
	var list []Due
	for _, st := range s.streams {
		if probe, wanted := st.nextProbe(today, now); wanted {
			if list = append(list, probe); !probe.At.After(now) || st.exclusive() {
				continue // before any other export of the stream
			}
		}
		if st.Changes && st.days.running() {
			continue // one export at a time, also around midnight
		}
		for _, day := range st.candidates(today) {
			if d := st.days[day]; d != nil && d.running {
				continue
			}
			if next, ok := st.next(day, today, now); ok {
				list = append(list, next)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b Due) int { return compareDue(&a, &b, now) })
	return list
}

// compareDue is negative if a comes before b.
func compareDue(a, b *Due, now time.Time) int {
	switch aWaits, bWaits := a.At.After(now), b.At.After(now); {
	case aWaits && bWaits:
		return a.At.Compare(b.At)
	case aWaits:
		return 1
	case bWaits:
		return -1
	}
	return cmp.Or(
		cmp.Compare(a.urgency, b.urgency),
		cmp.Compare(min(a.failed, 1), min(b.failed, 1)), // failing days come last
		a.stream.lastCall.Compare(b.stream.lastCall),
		cmp.Compare(a.failed, b.failed),
		cmp.Compare(a.Day, b.Day),
	)
}

// next returns when a day is exported next, if it is.
func (s *Stream) next(at, today schema.Day, now time.Time) (Due, bool) {
	next := Due{Stream: s.Name, Day: at, At: now, stream: s, urgency: backfill}
	d := s.days[at]
	if d == nil {
		d = &Day{record: ledger.Day{State: ledger.Pending}}
	}
	r := &d.record
	if at == today && len(r.Slices) == 0 { // slices use no more of the quota than a backfill
		next.urgency = todays
	}
	switch state := r.State; {
	case d.requested: // due in any state
	case state == ledger.Gap:
		return Due{}, false
	case state == ledger.Settled:
		if r.LastLook || !leavesSoon(at, today) || s.Kind.Snapshot() {
			return Due{}, false
		}
	case state == ledger.Pending:
		if at != today && leavesSoon(at, today) {
			next.urgency = leaving
		}
	case state == ledger.Open:
		next.At, next.Waits = s.again(d, today, now, s.policy.Location)
	}
	if f := r.Error; f != nil {
		next.failed = f.Attempts
		if f.Until.After(next.At) {
			next.At, next.Waits = f.Until, schema.WaitBackoff
			if f.Code == schema.RegistryUnavailable {
				next.Waits = schema.WaitRegistry
			}
		}
	}
	return next, true
}

// again returns when an open day is due for its next export.
func (s *StreamConfig) again(d *Day, today schema.Day, now time.Time, loc *time.Location) (time.Time, schema.Reason) {
	at, r := d.name.Day, &d.record
	if at == today {
		return s.nextPoll(d), schema.WaitPoll
	}
	if len(r.Slices) > 0 {
		return now, ""
	}
	settles := s.settles(at, loc)
	if !now.Before(settles) || s.Kind.Snapshot() {
		if len(r.MissingEvents) > 0 && r.MissingTried != nil {
			return r.MissingTried.Add(missingRetry), schema.WaitBackoff
		}
		return settles, schema.WaitLookback
	}
	return s.nextLookback(d, settles), schema.WaitLookback
}

// nextPoll returns when today is exported again. Exports of a day take at most half of
// the time, however long they are.
func (s *StreamConfig) nextPoll(d *Day) time.Time {
	return d.record.LastSuccess.Add(max(s.Poll, 2*d.took))
}

// nextLookback returns when a day before today is exported again, at the latest when an
// export settles it.
func (s *StreamConfig) nextLookback(d *Day, settles time.Time) time.Time {
	at := d.record.LastSuccess.Add(max(s.LookbackInterval, 2*d.took))
	if at.After(settles) {
		return settles
	}
	return at
}
