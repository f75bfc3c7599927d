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

// State is the schedule of a service: its streams and what is known of their days.
type State struct {
	policy  Policy
	began   time.Time
	streams []*stream // as configured
}

// New returns a schedule that knows no day yet. now is when its owner began.
func New(streams []Stream, policy Policy, now time.Time) *State {
	s := &State{policy: policy, began: now}
	for _, config := range streams {
		st := &stream{Stream: config, days: map[schema.Day]*day{}}
		st.setting = st.settings()
		s.streams = append(s.streams, st)
	}
	return s
}

// Load takes over what the ledger has: the service's record, and the days of the streams. Times in the future are read as now: a clock
// that was ahead wrote them.
func (s *State) Load(service *ledger.Service, days map[ledger.DayName]ledger.Day, now time.Time) []Event {
	s.take(service, days)
	var events []Event
	for _, st := range s.streams {
		topic := TopicOf(st.kept.Identity)
		events = append(events, s.detectIdentityChange(st, now)...)
		st.clampFutureTimes(now)
		if service != nil {
			events = append(events, s.noteSettings(st, service, topic, now)...)
		}
	}
	if service != nil {
		events = append(events, s.removed(service)...)
	}
	return events
}

// take sets what is known of the streams and their days. service is nil if the ledger has no record of it.
func (s *State) take(service *ledger.Service, days map[ledger.DayName]ledger.Day) {
	for name, record := range days {
		if st := s.stream(name.Stream); st != nil {
			st.day(name.Day).record = record
		}
	}
	if service == nil {
		return
	}
	for _, st := range s.streams {
		st.kept = service.Streams[st.Name]
		if p := service.Profiles[st.Name]; p != nil {
			st.exports = p.N
		}
		if from, ok := service.DueFrom[st.Name]; ok && from.Start == st.startName() {
			st.dueFrom = from.Day
		}
		st.charset = service.Charsets[st.Name]
		st.loadCuts(service)
		st.loadColumns(service)
	}
}

// Enter writes what is kept of the streams into the service's record.
func (s *State) Enter(service *ledger.Service, now time.Time) {
	s.enterCuts(service, now)
	s.enterSettings(service)
	s.enterColumns(service)
	if service.Streams == nil {
		service.Streams = map[string]ledger.Stream{}
	}
	if service.DueFrom == nil {
		service.DueFrom = map[string]ledger.DueFrom{}
	}
	if service.Charsets == nil {
		service.Charsets = map[string]string{}
	}
	for _, st := range s.streams {
		st.kept.Blocked = st.blocked
		service.Streams[st.Name] = st.kept
		delete(service.Charsets, st.Name)
		if st.charset != "" {
			service.Charsets[st.Name] = st.charset
		}
		if st.dueFrom != 0 {
			from := service.DueFrom[st.Name]
			from.Day, from.Start = st.dueFrom, st.startName()
			service.DueFrom[st.Name] = from
		}
	}
}

func (s *State) stream(name string) *stream {
	for _, st := range s.streams {
		if st.Name == name {
			return st
		}
	}
	return nil
}

// find returns a day of a configured stream; nil if nothing is known of it.
func (s *State) find(name ledger.DayName) *day {
	if st := s.stream(name.Stream); st != nil {
		return st.days[name.Day]
	}
	return nil
}

func (s *State) day(name ledger.DayName) *day { return s.stream(name.Stream).day(name.Day) }

func (s *State) today(now time.Time) schema.Day { return schema.DayOf(now, s.policy.Location) }

// Day is the day's record; that of a day that was never exported if nothing is known of it.
func (s *State) Day(name ledger.DayName) ledger.Day {
	if d := s.find(name); d != nil {
		return d.record
	}
	return ledger.Day{State: ledger.Pending, Generation: 1}
}

// Known reports whether anything is known of the day.
func (s *State) Known(name ledger.DayName) bool { return s.find(name) != nil }

// Days are all days of which something is known.
func (s *State) Days() iter.Seq2[ledger.DayName, ledger.Day] {
	return func(yield func(ledger.DayName, ledger.Day) bool) {
		for _, st := range s.streams {
			for _, at := range st.inOrder() {
				if d := st.days[at]; !yield(d.name, d.record) {
					return
				}
			}
		}
	}
}

// Today is the day that it is for the source.
func (s *State) Today(now time.Time) schema.Day { return s.today(now) }

// Running reports whether a call of the day, or the replay of its dead letters, is under way.
func (s *State) Running(name ledger.DayName) bool {
	d := s.find(name)
	return d != nil && d.running
}

// EventNames are the names of the stream's events that are known.
func (s *State) EventNames(stream string) []string { return s.stream(stream).kept.Events }

// Block has the stream wait for its topic until the owner's next schedule.
func (s *State) Block(stream, why string) { s.stream(stream).blocked = why }

// Blocked is why the stream's topic can't be written; empty if it can.
func (s *State) Blocked(stream string) string { return s.stream(stream).blocked }

// BlockAsKept blocks each stream that its owner had blocked for its topic: a reader of the ledger can't find out itself.
func (s *State) BlockAsKept() {
	for _, st := range s.streams {
		st.blocked = st.kept.Blocked
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

// HaltedBy is the code that has halted the stream; empty if none has.
func (s *State) HaltedBy(stream string) schema.Code {
	if h := s.stream(stream).kept.Halted; h != nil {
		return h.Code
	}
	return ""
}

// ForgetExclusive resumes streams that were halted because to_date looks exclusive: each start may have another DFINERY_TO_DATE.
func (s *State) ForgetExclusive() {
	for _, st := range s.streams {
		if st.exclusive() {
			st.kept.Halted = nil
		}
	}
}

// Changed are the days whose records differ from the ledger's.
func (s *State) Changed() iter.Seq[ledger.DayName] {
	return func(yield func(ledger.DayName) bool) {
		for _, st := range s.streams {
			for _, at := range st.inOrder() {
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

// SetFingerprints notes where the ledger has the fingerprints of the day's rows.
func (s *State) SetFingerprints(name ledger.DayName, ranges []ledger.Range) {
	d := s.day(name)
	d.record.Fingerprints, d.changed = ranges, true
}

// Forget drops a day that was deleted from the ledger.
func (s *State) Forget(name ledger.DayName) {
	if st := s.stream(name.Stream); st != nil {
		delete(st.days, name.Day)
	}
}
