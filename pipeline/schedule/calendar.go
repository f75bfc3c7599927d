package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// calendar are the days of a stream, and which of them are exported.
type calendar struct {
	*StreamConfig
	days    days
	dueFrom schema.Day // the oldest day that is due, whatever start names today; 0 if not known
}

// Day returns a day of the stream and adds it if necessary.
func (c *calendar) Day(at schema.Day) *Day {
	d := c.days[at]
	if d == nil {
		d = &Day{name: ledger.DayName{Stream: c.Name, Day: at}, record: ledger.Day{State: ledger.Pending, Generation: 1}}
		c.days[at] = d
	}
	return d
}

// first is the oldest day that is exported today: the configured start, or before it
// what was due and was not exported since.
func (c *calendar) first(today schema.Day) schema.Day {
	first := c.start(today)
	if c.dueFrom != 0 && !c.Kind.Snapshot() {
		first = min(first, c.dueFrom)
	}
	return max(first, today-schema.Reach)
}

// candidates are the days that may be exported: from the first to today, and before
// them those that were requested.
func (c *calendar) candidates(today schema.Day) []schema.Day {
	first := c.first(today)
	var list []schema.Day
	for day, d := range c.days {
		if d.requested && day < first && day >= today-schema.Reach && !c.Kind.Snapshot() {
			list = append(list, day)
		}
	}
	slices.Sort(list)
	for day := first; day <= today; day++ {
		list = append(list, day)
	}
	return list
}

// keepDue moves dueFrom on to the oldest day that is due. START in days back moves on
// with today, but what was due before and was not exported since stays due: during an
// outage that is longer than START no day is lost.
func (c *calendar) keepDue(today schema.Day, loc *time.Location) {
	if c.Kind.Snapshot() {
		return
	}
	start := c.start(today)
	if c.dueFrom == 0 {
		c.dueFrom = c.dueBefore(start, today)
	}
	for c.dueFrom < start && !c.due(c.dueFrom, loc) {
		c.dueFrom++
	}
	if c.StartBack >= 0 {
		c.dueFrom = min(c.dueFrom, start) // a clock that was ahead
	}
}

// dueBefore is where to begin with a stream whose ledger does not say from when on its
// days are due: a new one, one of a former release, or one that has another START now.
// What the former START named was due on the last day of which something is known, and
// all days since.
func (c *calendar) dueBefore(start, today schema.Day) schema.Day {
	var oldest, newest schema.Day
	for day, d := range c.days {
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
	case c.StartBack < 0:
		return max(start, min(oldest, today-schema.Reach))
	}
	return min(start, max(c.start(newest), oldest))
}

// due reports whether a day before START was due when START moved past it, and was not
// exported since.
func (c *calendar) due(day schema.Day, loc *time.Location) bool {
	d := c.days[day]
	switch {
	case d == nil || d.record.State == ledger.Pending || d.running || len(d.record.Slices) > 0:
		return true
	case d.record.State != ledger.Open:
		return false
	}
	left := day + schema.Day(c.StartBack) // the last day of which it was one of START's
	at := c.nextLookback(d, c.settles(day, loc))
	if left == day {
		at = c.nextPoll(d)
	}
	return at.Before(left.End(loc))
}
