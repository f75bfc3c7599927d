package schedule

import (
	"iter"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Policy is how days are scheduled, the same for all streams.
type Policy struct {
	Service         string // its id
	Location        *time.Location
	CallsPerHour    int
	RetryBackoff    time.Duration // after a day's first failure, doubled by each further one
	RetryMaxBackoff time.Duration
	NarrowAfter     int // failed queries of a day before it is exported in slices
	// Once, if set, schedules each day once, as `run --once` does.
	Once *Once
}

// today is the day that it is for the source.
func (p *Policy) today(now time.Time) schema.Day { return schema.DayOf(now, p.Location) }

// State is the schedule of a service: its streams, and what concerns all of them. What
// concerns one stream or one day is asked of that.
type State struct {
	policy  Policy
	began   time.Time
	streams []*Stream // as configured
}

// New returns a schedule that knows no day yet. now is when its owner began.
func New(streams []StreamConfig, policy Policy, now time.Time) *State {
	s := &State{policy: policy, began: now}
	for _, config := range streams {
		s.streams = append(s.streams, newStream(config, &s.policy))
	}
	return s
}

// Stream is a configured stream; nil if none has that name.
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

// Find returns a day of a stream; nil if nothing is known of it.
func (s *State) Find(name ledger.DayName) *Day {
	if st := s.Stream(name.Stream); st != nil {
		return st.days[name.Day]
	}
	return nil
}

// Record is the day's record; that of a day that was never exported if nothing is known of it.
func (s *State) Record(name ledger.DayName) ledger.Day {
	if d := s.Find(name); d != nil {
		return d.record
	}
	return ledger.Day{State: ledger.Pending, Generation: 1}
}

// Days are all days of which something is known.
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

// Changed are the days whose records differ from the ledger's.
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

// Saved notes that the ledger has every record as it is now.
func (s *State) Saved() {
	for _, st := range s.streams {
		for _, d := range st.days {
			d.changed = false
		}
	}
}

// ForgetExclusive resumes streams that were halted because to_date looks exclusive:
// each start may have another DFINERY_TO_DATE.
func (s *State) ForgetExclusive() {
	for _, st := range s.streams {
		st.endHalt(codeExclusive)
	}
}

// BlocksChanged reports whether other streams wait for their topics than the service's record says.
func (s *State) BlocksChanged(service *ledger.Service) bool {
	for _, st := range s.streams {
		if service.Streams[st.Name].Blocked != st.blocked {
			return true
		}
	}
	return false
}
