package schedule

import (
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Observe loads the ledger for a reader that may lack the owner's variables: unset
// values are those that the owner last had. A difference changes no day. Streams wait
// for their topics as in the owner's record: a reader can't determine that itself.
func (s *State) Observe(service *ledger.Service, days map[ledger.DayName]ledger.Day, now time.Time) {
	if zone, err := time.LoadLocation(service.Timezone); err == nil && service.Timezone != "" {
		s.policy.Location = zone
	}
	for _, st := range s.streams {
		st.asOwned(service)
	}
	s.restore(service, days)
	for _, st := range s.streams {
		st.blocked = service.Streams[st.Name].Blocked
		st.clampFutureTimes(now)
	}
}

// Location returns the time zone of the days.
func (s *State) Location() *time.Location { return s.policy.Location }

// asOwned sets the stream's unset values to those of the owner.
func (s *Stream) asOwned(service *ledger.Service) {
	if parts := strings.Split(service.Streams[s.Name].Identity, "\x00"); len(parts) > 1 {
		if s.Unset.Kind {
			s.Kind = schema.Kind(parts[0])
		}
		if s.Unset.Topic {
			s.Topic = parts[1]
		}
	}
	if pace := service.Settings[s.Name].Pace; pace != nil {
		s.setPace(pace)
	}
}
