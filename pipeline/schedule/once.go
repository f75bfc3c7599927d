package schedule

import (
	"cmp"
	"time"

	"dfinery-kafka/schema"
)

// Once limits a schedule to what is due when it begins.
type Once struct {
	// Attempts is the maximum number of failed calls for one day.
	Attempts int
	// MaxWait is the longest wait; the run ends instead of waiting longer.
	MaxWait time.Duration
}

// wants reports whether the export is made: up to one success per day, and up to
// Attempts failures.
func (o *Once) wants(d *Due, now time.Time) bool {
	if d.Probe {
		return d.failed < o.Attempts && d.At.Sub(now) <= o.MaxWait
	}
	day := d.stream.days[d.Day]
	if day == nil {
		return true
	}
	if day.done && !day.requested || day.failed >= o.Attempts {
		return false
	}
	// Due at the beginning, or failed since; not the next poll.
	return !d.At.After(now) || d.Waits == schema.WaitBackoff && d.At.Sub(now) <= o.MaxWait
}

// Left is one day that is still due.
type Left struct {
	Stream string
	Day    schema.Day
	Wait   schema.Wait
	Error  string // the failure of its last call; empty if none failed
}

// Left returns what a schedule with Once has not done yet, and whether any of it can be
// done within MaxWait. all is what all streams wait for.
func (s *State) Left(all schema.Wait, now time.Time) (left []Left, soon bool) {
	once := s.policy.Once
	for _, d := range s.plan(now) {
		stop := d.stream.stopped(now)
		if stop.For == schema.WaitPaused || !once.leaves(&d, all, now) {
			continue
		}
		l := Left{Stream: d.Stream, Day: d.Day, Wait: d.starts(all, now), Error: d.lastError()}
		switch wants := once.wants(&d, now); {
		case stop.For != "":
			l.Wait, l.Error = stop, cmp.Or(l.Error, d.stream.stops.detail())
		case wants && (d.At.After(now) || all.For == ""):
			soon = true
		case wants:
			l.Wait = all
			soon = soon || !all.Until.IsZero() && all.Until.Sub(now) <= once.MaxWait && all.For == schema.WaitBackoff
		}
		left = append(left, l)
	}
	return left, soon
}

// leaves reports whether the export is work left: the day is due, or its last call has
// failed. A probe that was given up is not: it is not part of a day's export, and may
// never succeed.
func (o *Once) leaves(d *Due, all schema.Wait, now time.Time) bool {
	if d.Probe {
		return all.For != "" || d.stream.stopped(now).For != "" || o.wants(d, now)
	}
	day := d.stream.days[d.Day]
	switch {
	case d.stream.KeyRefused():
		return true
	case day != nil && day.done && !day.requested:
		return false
	}
	return !d.At.After(now) || day != nil && day.record.Error != nil
}

// lastError returns the failure of the last call; empty if it did not fail.
func (d *Due) lastError() string {
	if d.Probe {
		return d.stream.probe.detail
	}
	if day := d.stream.days[d.Day]; day != nil && day.record.Error != nil {
		return day.record.Error.Detail
	}
	return ""
}
