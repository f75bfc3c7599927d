package schedule

import (
	"iter"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Policy configures the schedule of all streams.
type Policy struct {
	Service         string // id of the service
	Location        *time.Location
	CallsPerHour    int
	RetryBackoff    time.Duration // after a day's first failure; doubled by each further failure
	RetryMaxBackoff time.Duration
	NarrowAfter     int // failed queries of a day until it is exported in slices
	// Once, if set, schedules each day once, as `run --once` does.
	Once *Once
}

// today returns the current day in the source's time zone.
func (p *Policy) today(now time.Time) schema.Day { return schema.DayOf(now, p.Location) }

// State is the schedule of a service: its streams, and everything that concerns more
// than one of them. Stream and Day have the rest.
type State struct {
	policy  Policy
	began   time.Time
	streams []*Stream // as configured
}

// New returns a schedule without days. now is the start of its owner.
func New(streams []StreamConfig, policy Policy, now time.Time) *State {
	s := &State{policy: policy, began: now}
	for _, config := range streams {
		s.streams = append(s.streams, newStream(config, &s.policy))
	}
	return s
}

// Stream returns a configured stream; nil if none has that name.
func (s *State) Stream(name string) *Stream {
	for _, st := range s.streams {
		if st.Name == name {
			return st
		}
	}
	return nil
}

// Day returns a day of a configured stream and adds it if necessary.
func (s *State) Day(name ledger.DayName) *Day { return s.Stream(name.Stream).Day(name.Day) }

// Find returns a day of a stream; nil if it has no record.
func (s *State) Find(name ledger.DayName) *Day {
	if st := s.Stream(name.Stream); st != nil {
		return st.days[name.Day]
	}
	return nil
}

// Record returns the day's record; without one, that of a day that was never exported.
func (s *State) Record(name ledger.DayName) ledger.Day {
	if d := s.Find(name); d != nil {
		return d.record
	}
	return ledger.Day{State: ledger.Pending, Generation: 1}
}

// Days returns all days that have a record.
func (s *State) Days() iter.Seq2[ledger.DayName, ledger.Day] {
	return func(yield func(ledger.DayName, ledger.Day) bool) {
		for _, st := range s.streams {
			for _, at := range st.days.inOrder() {
				if d := st.days[at]; !yield(d.name, d.record) {
					return
				}
			}
		}
	}
}

// Forget drops a day that was deleted from the ledger, also one of a stream that is not
// configured any more.
func (s *State) Forget(name ledger.DayName) {
	if st := s.Stream(name.Stream); st != nil {
		delete(st.days, name.Day)
	}
}

// Changed returns the days whose records differ from the ledger's.
func (s *State) Changed() iter.Seq[ledger.DayName] {
	return func(yield func(ledger.DayName) bool) {
		for _, st := range s.streams {
			for _, at := range st.days.inOrder() {
				if d := st.days[at]; d.changed && !yield(d.name) {
					return
				}
			}
		}
	}
}

// Unsaved reports whether a record differs from the ledger's.
func (s *State) Unsaved() bool {
	for range s.Changed() {
		return true
	}
	return false
}

// Saved marks every record as written to the ledger.
func (s *State) Saved() {
	for _, st := range s.streams {
		for _, d := range st.days {
			d.changed = false
		}
	}
}

// ForgetExclusive resumes streams that were halted because to_date looks exclusive:
// DFINERY_TO_DATE may have changed since the last start.
func (s *State) ForgetExclusive() {
	for _, st := range s.streams {
		st.endHalt(codeExclusive)
	}
}

// BlocksChanged reports whether the streams that wait for their topics differ from
// those in the service's record.
func (s *State) BlocksChanged(service *ledger.Service) bool {
	for _, st := range s.streams {
		if service.Streams[st.Name].Blocked != st.blocked {
			return true
		}
	}
	return false
}
