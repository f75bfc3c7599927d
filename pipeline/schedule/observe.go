package schedule

import (
	"strconv"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Unset says what of a stream no variable sets.
type Unset struct{ Kind, Topic, Poll, Lookback, LookbackInterval, Start bool }

// Observe takes over what the ledger has, for a reader that may lack variables that the owner has: what is unset is as the owner last had it. No
// day is changed because of a difference.
func (s *State) Observe(service *ledger.Service, days map[ledger.DayName]ledger.Day, now time.Time) {
	if zone, err := time.LoadLocation(service.Timezone); err == nil && service.Timezone != "" {
		s.policy.Location = zone
	}
	for _, st := range s.streams {
		st.asOwned(service)
	}
	s.take(service, days)
	for _, st := range s.streams {
		st.clampFutureTimes(now)
	}
}

// Location is where a day begins.
func (s *State) Location() *time.Location { return s.policy.Location }

// asOwned gives the stream what is unset.
func (s *stream) asOwned(service *ledger.Service) {
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

// pace is how the stream is scheduled, for the ledger.
func (s *Stream) pace() *ledger.Pace {
	return &ledger.Pace{Poll: s.Poll.String(), Lookback: s.Lookback, LookbackInterval: s.LookbackInterval.String(), Start: s.startName()}
}

// setPace is the inverse of pace, of what is unset. What can't be read stays as it is.
func (s *Stream) setPace(p *ledger.Pace) {
	if s.Unset.Lookback {
		s.Lookback = p.Lookback
	}
	if poll, err := time.ParseDuration(p.Poll); err == nil && s.Unset.Poll {
		s.Poll = poll
	}
	if interval, err := time.ParseDuration(p.LookbackInterval); err == nil && s.Unset.LookbackInterval {
		s.LookbackInterval = interval
	}
	if !s.Unset.Start {
		return
	}
	if back, err := strconv.Atoi(p.Start); err == nil {
		s.StartBack = back
	} else if first, err := schema.ParseDay(p.Start); err == nil {
		s.StartBack, s.First = -1, first
	}
}
