package schedule

import (
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
		day := d.stream.days[d.Day]
		failed := day != nil && day.record.Error != nil && !d.Probe
		if !d.Probe && !d.stream.KeyRefused() && (day != nil && day.done && !day.requested || d.At.After(now) && !failed) {
			continue
		}
		if d.Probe && all.For == "" && d.stream.stopped(now).For == "" && !once.wants(&d, now) {
			continue // given up: it is not part of a day's export, and may never succeed
		}
		l := Left{Stream: d.Stream, Day: d.Day, Wait: d.starts(all, now)}
		if failed {
			l.Error = day.record.Error.Detail
		} else if d.Probe {
			l.Error = d.stream.probe.detail
		}
		switch stop := d.stream.stopped(now); {
		case stop.For == schema.WaitPaused:
			continue
		case stop.For != "":
			l.Wait = stop
			if l.Error == "" && d.stream.halted != nil {
				l.Error = d.stream.halted.Detail
			} else if l.Error == "" {
				l.Error = d.stream.blocked
			}
		case once.wants(&d, now) && (d.At.After(now) || all.For == ""):
			soon = true
		case once.wants(&d, now):
			l.Wait = all
			soon = soon || !all.Until.IsZero() && all.Until.Sub(now) <= once.MaxWait && all.For == schema.WaitBackoff
		}
		left = append(left, l)
	}
	return left, soon
}
