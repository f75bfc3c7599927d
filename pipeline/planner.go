package pipeline

import (
	"cmp"
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// urgency orders the days that are due at the same time.
type urgency int

const (
	leaving  urgency = iota // about to leave the reach without ever having been exported
	todays                  // today's poll
	backfill                // everything else: days before today, retries, last looks
)

// due is one day's next export.
type due struct {
	stream  *stream
	day     schema.Day
	at      time.Time     // not before
	waits   schema.Reason // what it waits for until then
	urgency urgency
	failed  int  // calls that failed since the last success
	probe   bool // asks for a day more than configured
}

// plan lists the next export of each day of the streams, the one to make first in front: those that are due at now by urgency, days
// that fail behind others, then the stream that waited longest, the fewest failures, the oldest day; behind them the others by their time.
func plan(streams []*stream, now time.Time, loc *time.Location) []due {
	today := schema.DayOf(now, loc)
	var list []due
	for _, s := range streams {
		if probe, wanted := s.wantsProbe(today, now); wanted {
			if list = append(list, probe); !probe.at.After(now) || s.exclusive() {
				continue // before anything else of it
			}
		}
		for _, day := range s.candidates(today) {
			if d := s.days[day]; d != nil && d.busy() {
				continue
			}
			if next, ok := s.next(day, today, now, loc); ok {
				list = append(list, next)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b due) int { return compareDue(&a, &b, now) })
	return list
}

// candidates are the days that may be exported: from the first to today, and before them those that a command asked for.
func (s *stream) candidates(today schema.Day) []schema.Day {
	first := s.first(today)
	var list []schema.Day
	for day, d := range s.days {
		if d.wanted && day < first && day >= today-schema.Reach && s.Kind == schema.Event {
			list = append(list, day)
		}
	}
	slices.Sort(list)
	for day := first; day <= today; day++ {
		list = append(list, day)
	}
	return list
}

// compareDue is negative when a is to be made before b.
func compareDue(a, b *due, now time.Time) int {
	switch aWaits, bWaits := a.at.After(now), b.at.After(now); {
	case aWaits && bWaits:
		return a.at.Compare(b.at)
	case aWaits:
		return 1
	case bWaits:
		return -1
	}
	return cmp.Or(
		cmp.Compare(a.urgency, b.urgency),
		cmp.Compare(min(a.failed, 1), min(b.failed, 1)), // a day that fails yields to any other
		a.stream.lastCall.Compare(b.stream.lastCall),
		cmp.Compare(a.failed, b.failed),
		cmp.Compare(a.day, b.day),
	)
}

// next is when a day is exported next, if ever again.
func (s *stream) next(day, today schema.Day, now time.Time, loc *time.Location) (due, bool) {
	next := due{stream: s, day: day, at: now, urgency: backfill}
	record := ledger.Day{State: ledger.Pending}
	var took time.Duration
	wanted := false
	if d := s.days[day]; d != nil {
		record, took, wanted = d.record, d.took, d.wanted
	}
	if day == today && len(record.Slices) == 0 { // slices never take more than a backfill's share of the quota
		next.urgency = todays
	}
	switch state := record.State; {
	case wanted: // a command asked for it: due whatever its state
	case state == ledger.Gap:
		return due{}, false
	case state == ledger.Settled:
		if record.LastLook || today-day < schema.Reach-1 || s.Kind == schema.UserProfile {
			return due{}, false
		}
	case state == ledger.Pending:
		if day != today && today-day >= schema.Reach-1 {
			next.urgency = leaving
		}
	case state == ledger.Open:
		next.at, next.waits = s.again(day, today, record, took, now, loc)
	}
	if f := record.Error; f != nil {
		next.failed = f.Attempts
		if f.Until.After(next.at) {
			next.at, next.waits = f.Until, schema.WaitBackoff
		}
	}
	return next, true
}

// again is when an open day is due for its next export.
func (s *stream) again(day, today schema.Day, record ledger.Day, took time.Duration, now time.Time, loc *time.Location) (time.Time, schema.Reason) {
	last := *record.LastSuccess
	if day == today {
		// Half of the time at most goes into one day, however long its exports take.
		return last.Add(max(s.Poll, 2*took)), schema.WaitPoll
	}
	if len(record.Slices) > 0 {
		return now, ""
	}
	settles := s.settles(day, loc)
	if !now.Before(settles) || s.Kind == schema.UserProfile {
		if len(record.MissingEvents) > 0 && record.MissingTried != nil {
			return record.MissingTried.Add(missingRetry), schema.WaitBackoff
		}
		return settles, schema.WaitLookback
	}
	at := last.Add(max(s.LookbackInterval, 2*took))
	if at.After(settles) {
		at = settles
	}
	return at, schema.WaitLookback
}
