package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// stopped is why the stream makes no calls at all now.
func (s *stream) stopped(now time.Time) schema.Wait {
	switch {
	case s.kept.Paused:
		return schema.Wait{For: schema.WaitPaused}
	case s.blocked != "" || s.keyRefused():
		return schema.Wait{For: schema.WaitHalted}
	case s.kept.Halted != nil && s.kept.Halted.Until.After(now):
		return schema.Wait{For: schema.WaitHalted, Until: s.kept.Halted.Until}
	}
	return schema.Wait{}
}

// retrying reports whether a halted stream is being tried again, which takes one call.
func (s *stream) retrying() bool {
	if s.kept.Halted == nil {
		return false
	}
	for _, d := range s.days {
		if d.running {
			return true
		}
	}
	return false
}

// starts is what the export waits for longest, and so when it can start: its own time, its stream, or what all streams wait for. Without
// an Until the time is not known.
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

// NextStart is when the day's next export can start; zero if that is not known, or if there is none. all is what all streams wait for.
func (s *State) NextStart(name ledger.DayName, all schema.Wait, now time.Time) time.Time {
	next, again := s.stream(name.Stream).next(name.Day, s.today(now), now, s.policy.Location)
	if !again {
		return time.Time{}
	}
	return next.starts(all, now).Until
}
