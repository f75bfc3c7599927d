package schedule

import (
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Observe takes over what the ledger has, for a reader that may lack variables that the
// owner has: what is unset is as the owner last had it. No day is changed because of a
// difference. Streams wait for their topics as their owner had them wait: a reader
// can't find out itself.
func (s *State) Observe(service *ledger.Service, days map[ledger.DayName]ledger.Day, now time.Time) {
	if zone, err := time.LoadLocation(service.Timezone); err == nil && service.Timezone != "" {
		s.policy.Location = zone
	}
	for _, st := range s.streams {
		st.asOwned(service)
	}
	s.take(service, days)
	for _, st := range s.streams {
		st.blocked = service.Streams[st.Name].Blocked
		st.clampFutureTimes(now)
	}
}

// Location is where a day begins.
func (s *State) Location() *time.Location { return s.policy.Location }

// asOwned gives the stream what is unset.
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
