package schedule

import (
	"time"

	"dfinery-kafka/schema"
)

// retrying reports whether a halted stream is being retried, with a single call.
func (s *Stream) retrying() bool { return s.halted != nil && s.days.running() }

// starts returns the longest wait of the export, and so when it can start: its own
// time, its stream's, or that of all streams. Without an Until the time is unknown.
func (d *Due) starts(all schema.Wait, now time.Time) schema.Wait {
	wait, stopped := schema.Wait{For: d.Waits, Until: d.At}, d.stream.stopped(now)
	switch {
	case stopped.For != "" && stopped.Until.IsZero():
		return stopped
	case all.For != "" && all.Until.IsZero() && !d.At.After(now) && stopped.For == "":
		return all
	}
	for _, other := range []schema.Wait{stopped, all} {
		if other.Until.After(wait.Until) {
			wait = other
		}
	}
	return wait
}

// NextStart returns when the day's next export can start; zero if unknown, or if there
// is none. all is what all streams wait for.
func (s *Stream) NextStart(day schema.Day, all schema.Wait, now time.Time) time.Time {
	next, again := s.next(day, s.policy.today(now), now)
	if !again {
		return time.Time{}
	}
	return next.starts(all, now).Until
}
