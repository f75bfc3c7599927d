package schedule

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// calendar has the days of a stream, and determines which of them are exported.
type calendar struct {
	*StreamConfig
	days    days
	dueFrom schema.Day // the oldest day that is due, even if it is before today's start; 0: unknown
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

// first returns the oldest day that is exported today: the configured start, or an
// earlier day that was due and has not been exported since.
func (c *calendar) first(today schema.Day) schema.Day {
	first := c.start(today)
	if c.dueFrom != 0 && !c.Kind.Snapshot() {
		first = min(first, c.dueFrom)
	}
	return max(first, today-schema.Reach)
}

// candidates returns the days that may be exported: those from the first to today, and
// earlier ones that were requested.
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

// keepDue advances dueFrom to the oldest day that is due. START in days back advances
// with today, but a day that was due and has not been exported since stays due: so an
// outage that is longer than START loses no day.
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
		c.dueFrom = min(c.dueFrom, start) // the clock was ahead
	}
}

// dueBefore returns the initial dueFrom of a stream that has none in the ledger: a new
// stream, one written by an earlier release, or one whose START has changed. The days
// of the former START were due on the last recorded day, and all days since.
func (c *calendar) dueBefore(start, today schema.Day) schema.Day {
	var oldest, newest schema.Day
	for day, d := range c.days {
		if d.record.FirstExport == nil && d.record.State == ledger.Pending {
			continue // only requested by a command
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

// due reports whether a day before START was due when START moved past it, and has not
// been exported since.
func (c *calendar) due(day schema.Day, loc *time.Location) bool {
	d := c.days[day]
	switch {
	case d == nil || d.record.State == ledger.Pending || d.running || len(d.record.Slices) > 0:
		return true
	case d.record.State != ledger.Open:
		return false
	}
	left := day + schema.Day(c.StartBack) // the last day on which it was within START
	at := c.nextLookback(d, c.settles(day, loc))
	if left == day {
		at = c.nextPoll(d)
	}
	return at.Before(left.End(loc))
}
