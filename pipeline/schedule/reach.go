package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// missed is how many days back, at most, those that passed while no instance ran become gaps.
const missed = 2 * schema.Reach

// warnWithin is how many days before a day is lost at the source it is warned of, once a day.
const warnWithin = 3

// settleIn is how long a start has to export what is about to be lost before it is warned of.
const settleIn = 10 * time.Minute

// Advance makes the transitions that time alone causes: days that have left the API's reach end, also those that passed while no instance
// ran, and days that ended too early are reopened.
//
// A day is never dropped: an old day is written by a replay, and a clock that was months ahead for a minute must not make its days look new.
func (s *State) Advance(now time.Time) []Event {
	today, loc := s.today(now), s.policy.Location
	var events []Event
	for _, st := range s.streams {
		st.keepDue(today, loc)
		first := st.first(today)
		for _, at := range st.inOrder() {
			if state := st.days[at].record.State; st.reopen(st.days[at], today, now, loc) {
				events = append(events, Event{Kind: DayReopened, Stream: st.Name, Day: at, State: string(state)})
			}
		}
		for _, at := range st.leaving(first, today) {
			events = append(events, st.expire(st.day(at), today)...)
		}
		if st.warned != today && now.Sub(s.began) >= settleIn {
			st.warned = today
			events = append(events, st.aboutToBeLost(first, today, loc)...)
		}
	}
	return append(events, s.UnknownNames(now)...)
}

// aboutToBeLost are the days that will soon have left the reach without ever having been exported.
func (s *stream) aboutToBeLost(first, today schema.Day, loc *time.Location) []Event {
	var events []Event
	for at := first; at <= today-schema.Reach+warnWithin; at++ {
		if d := s.days[at]; d == nil || d.record.State == ledger.Pending {
			events = append(events, Event{Kind: DayAboutToBeLost, Stream: s.Name, Day: at, Until: leavesAt(at, loc)})
		}
	}
	return events
}

// leavesAt is when a day leaves the API's reach.
func leavesAt(day schema.Day, loc *time.Location) time.Time {
	return (day + schema.Reach + 1).Start(loc)
}

// Remaining is, by stream, how long until its oldest day that was never exported leaves the reach.
func (s *State) Remaining(now time.Time) map[string]time.Duration {
	remaining := map[string]time.Duration{}
	today := s.today(now)
	for _, st := range s.streams {
		if st.Kind.Snapshot() {
			continue
		}
		for at := st.first(today); at < today; at++ {
			if d := st.days[at]; d == nil || d.record.State == ledger.Pending {
				remaining[st.Name] = leavesAt(at, s.policy.Location).Sub(now)
				break
			}
		}
	}
	return remaining
}

// leaving are the days that end because they are before first: those that were exported, and those that never were and
// have left the API's reach. A day before START that was never exported is not a loss, unless a command has requested it.
func (s *stream) leaving(first, today schema.Day) []schema.Day {
	var list []schema.Day
	for day, d := range s.days {
		if day >= first || d.running {
			continue
		}
		lost := day < today-schema.Reach
		switch d.record.State {
		case ledger.Open:
			if lost || !d.requested {
				list = append(list, day)
			}
		case ledger.Pending:
			wanted := day >= s.dueFrom || d.requested || d.cut.Cut != ""
			if !s.Kind.Snapshot() && lost && wanted || s.Kind.Snapshot() && d.cut.Cut != "" && (lost || !d.requested) {
				list = append(list, day)
			}
		}
	}
	if !s.Kind.Snapshot() {
		for day := max(s.dueFrom, today-missed); day < first; day++ {
			if s.days[day] == nil {
				list = append(list, day)
			}
		}
	}
	slices.Sort(list)
	return list
}

// keepDue moves dueFrom on to the oldest day that is due. START in days back moves on with today, but what was due before and was not
// exported since stays due: during an outage that is longer than START no day is lost.
func (s *stream) keepDue(today schema.Day, loc *time.Location) {
	if s.Kind.Snapshot() {
		return
	}
	start := s.start(today)
	if s.dueFrom == 0 {
		s.dueFrom = s.dueBefore(start, today)
	}
	for s.dueFrom < start && !s.due(s.dueFrom, loc) {
		s.dueFrom++
	}
	if s.StartBack >= 0 {
		s.dueFrom = min(s.dueFrom, start) // a clock that was ahead
	}
}

// dueBefore is where to begin with a stream whose ledger does not say from when on its days are due: a new one, one of a former release, or
// one that has another START now. What the former START named was due on the last day of which something is known, and all days since.
func (s *stream) dueBefore(start, today schema.Day) schema.Day {
	var oldest, newest schema.Day
	for day, d := range s.days {
		if d.record.FirstExport == nil && d.record.State == ledger.Pending {
			continue // only asked for
		}
		if oldest == 0 || day < oldest {
			oldest = day
		}
		newest = max(newest, day)
	}
	switch {
	case newest == 0:
		return max(start, today-schema.Reach)
	case s.StartBack < 0:
		return max(start, min(oldest, today-schema.Reach))
	}
	return min(start, max(s.start(newest), oldest))
}

// due reports whether a day before START was due when START moved past it, and was not exported since.
func (s *stream) due(day schema.Day, loc *time.Location) bool {
	d := s.days[day]
	switch {
	case d == nil || d.record.State == ledger.Pending || d.running || len(d.record.Slices) > 0:
		return true
	case d.record.State != ledger.Open:
		return false
	}
	left := day + schema.Day(s.StartBack) // the last day of which it was one of START's
	at := s.nextLookback(d, s.settles(day, loc))
	if left == day {
		at = s.nextPoll(d)
	}
	return at.Before(left.End(loc))
}

// expire ends a day that the API does not export any more, or that START has left behind. No command waits for it any longer.
func (s *stream) expire(d *day, today schema.Day) []Event {
	d.requested, d.changed = false, true
	event := Event{Stream: s.Name, Day: d.name.Day}
	why := leavesReach
	switch {
	case s.Kind.Snapshot(): // the next one has its rows
		why = snapshotPasses
	case d.name.Day >= today-schema.Reach && !d.refused():
		why, event.BeforeStart = leavesStart, true
	}
	was := d.record.State
	if d.cut.Cut != "" && why != leavesStart {
		why, event.Cut = leavesCut, d.cut.Cut
	}
	switch moved := d.move(why); {
	case moved && why == leavesCut:
		event.Kind = DayLeftCut
		if d.record.LastSuccess == nil {
			d.record.LastSuccess = d.cut.Started // the rows before the cut are published, and releases before need a time here
		}
	case !moved || s.Kind.Snapshot():
		return nil
	case was == ledger.Pending:
		event.Kind = DayLost
	default:
		event.Kind = DayLeftUnsettled
	}
	return []Event{event}
}
