package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
)

// Load restores the state from the ledger: the service's record, and the days of the
// streams. Before the first start the record is empty. Times in the future are read as
// now: they were written while the clock was ahead.
func (s *State) Load(service *ledger.Service, days map[ledger.DayName]ledger.Day, now time.Time) []Event {
	s.restore(service, days)
	var events []Event
	for _, st := range s.streams {
		topic := TopicOf(st.identity)
		events = append(events, st.detectIdentityChange(now)...)
		st.clampFutureTimes(now)
		events = append(events, st.noteSettings(service, topic, now)...)
	}
	return append(events, removedStreams(service, s.streams)...)
}

// restore sets the streams and their days.
func (s *State) restore(service *ledger.Service, days map[ledger.DayName]ledger.Day) {
	for name, record := range days {
		if st := s.Stream(name.Stream); st != nil {
			st.Day(name.Day).record = record
		}
	}
	for _, st := range s.streams {
		st.load(service)
	}
}

// SaveTo writes the state of the streams into the service's record.
func (s *State) SaveTo(service *ledger.Service, now time.Time) {
	service.Timezone = s.policy.Location.String()
	makeIfNil(&service.Streams)
	makeIfNil(&service.DueFrom)
	makeIfNil(&service.Charsets)
	makeIfNil(&service.Cuts)
	makeIfNil(&service.Columns)
	makeIfNil(&service.Settings)
	for name := range service.Settings {
		if s.Stream(name) == nil {
			delete(service.Settings, name) // already reported
		}
	}
	for _, st := range s.streams {
		st.saveTo(service, now)
	}
}

func makeIfNil[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
}
