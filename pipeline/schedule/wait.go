package schedule

import (
	"time"

	"dfinery-kafka/schema"
)

// retrying reports whether a halted stream is being tried again, which takes one call.
func (s *Stream) retrying() bool { return s.halted != nil && s.days.running() }

// starts is what the export waits for longest, and so when it can start: its own time,
// its stream, or what all streams wait for. Without an Until the time is not known.
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

// NextStart is when the next export of one of its days can start; zero if that is not
// known, or if there is none. all is what all streams wait for.
func (s *Stream) NextStart(day schema.Day, all schema.Wait, now time.Time) time.Time {
	next, again := s.next(day, s.policy.today(now), now)
	if !again {
		return time.Time{}
	}
	return next.starts(all, now).Until
}
