package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// missed is the maximum number of days back for which days that passed while no
// instance ran become gaps.
const missed = 2 * schema.Reach

// warnWithin is how many days before the loss of a day a warning is logged, once a day.
const warnWithin = 3

// lossGrace is how long after a start days that are about to be lost may be exported
// before a warning is logged.
const lossGrace = 10 * time.Minute

// Advance makes the transitions that are caused by time alone: days that have left the
// API's reach end, including those that passed while no instance ran, and days that
// ended too early are reopened. A day is never dropped: a replay may write old days,
// and after a clock that was months ahead for a minute its days must not appear new.
func (s *State) Advance(now time.Time) []Event {
	today, loc := s.policy.today(now), s.policy.Location
	var events []Event
	for _, st := range s.streams {
		events = append(events, st.advance(today, now, loc)...)
		if st.warned != today && now.Sub(s.began) >= lossGrace {
			st.warned = today
			events = append(events, st.aboutToBeLost(today, loc)...)
		}
	}
	return append(events, s.UnknownNames(now)...)
}

// advance makes the transitions of a stream's days.
func (c *calendar) advance(today schema.Day, now time.Time, loc *time.Location) []Event {
	c.keepDue(today, loc)
	var events []Event
	for _, at := range c.days.inOrder() {
		d := c.days[at]
		if was := d.record.State; c.reopen(d, today, now, loc) {
			events = append(events, Event{Kind: DayReopened, Stream: c.Name, Day: at, State: string(was)})
		}
	}
	for _, at := range c.leaving(today) {
		events = append(events, c.expire(c.Day(at), today)...)
	}
	return events
}

// aboutToBeLost returns the days that will soon leave the reach and were never
// exported.
func (c *calendar) aboutToBeLost(today schema.Day, loc *time.Location) []Event {
	var events []Event
	for at := c.first(today); at <= today-schema.Reach+warnWithin; at++ {
		if d := c.days[at]; d == nil || d.record.State == ledger.Pending {
			events = append(events, Event{Kind: DayAboutToBeLost, Stream: c.Name, Day: at, Until: leavesAt(at, loc)})
		}
	}
	return events
}

// leavesSoon reports whether the day is in its last two days of reach, in which it is
// exported once more, or has left it.
func leavesSoon(day, today schema.Day) bool { return today-day >= schema.Reach-1 }

// leavesAt returns when a day leaves the API's reach.
func leavesAt(day schema.Day, loc *time.Location) time.Time {
	return (day + schema.Reach + 1).Start(loc)
}

// Remaining returns, by stream, the time until its oldest day that was never exported
// leaves the reach.
func (s *State) Remaining(now time.Time) map[string]time.Duration {
	remaining := map[string]time.Duration{}
	for _, st := range s.streams {
		if at, ok := st.oldestUntried(s.policy.today(now)); ok {
			remaining[st.Name] = leavesAt(at, s.policy.Location).Sub(now)
		}
	}
	return remaining
}

// oldestUntried returns the oldest day before today that is due and was never exported.
func (c *calendar) oldestUntried(today schema.Day) (schema.Day, bool) {
	for at := c.first(today); at < today; at++ {
		if d := c.days[at]; d == nil || d.record.State == ledger.Pending {
			return at, true
		}
	}
	return 0, false
}

// leaving returns the days that end because they are before the first exported day,
// also those without a record.
func (c *calendar) leaving(today schema.Day) []schema.Day {
	first := c.first(today)
	var list []schema.Day
	for day, d := range c.days {
		if day < first && !d.running && c.leaves(d, today) {
			list = append(list, day)
		}
	}
	if !c.Kind.Snapshot() {
		for day := max(c.dueFrom, today-missed); day < first; day++ {
			if c.days[day] == nil {
				list = append(list, day)
			}
		}
	}
	slices.Sort(list)
	return list
}

// leaves reports whether a day before the first exported day ends: one that was
// exported, or one that never was and has left the API's reach. A day before START that
// was never exported is not a loss, unless a command has requested it. A snapshot that
// was never exported ends only if it was cut.
func (c *calendar) leaves(d *Day, today schema.Day) bool {
	lost, cut := d.name.Day < today-schema.Reach, d.cut.Cut != ""
	switch {
	case d.record.State == ledger.Open:
		return lost || !d.requested
	case d.record.State != ledger.Pending:
		return false
	case c.Kind.Snapshot():
		return cut && (lost || !d.requested)
	}
	return lost && (d.name.Day >= c.dueFrom || d.requested || cut)
}

// expire ends a day that the API no longer exports, or that is before START now, and
// the commands that wait for it.
func (c *calendar) expire(d *Day, today schema.Day) []Event {
	d.requested, d.changed = false, true
	event := Event{Stream: c.Name, Day: d.name.Day}
	why := leavesReach
	switch {
	case c.Kind.Snapshot(): // the next snapshot has its rows
		why = snapshotPasses
	case d.name.Day >= today-schema.Reach && !d.isOutOfReach():
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
			d.record.LastSuccess = d.cut.Started // the rows before the cut are published, and earlier releases require a time
		}
	case !moved || c.Kind.Snapshot():
		return nil
	case was == ledger.Pending:
		event.Kind = DayLost
	default:
		event.Kind = DayLeftUnsettled
	}
	return []Event{event}
}
