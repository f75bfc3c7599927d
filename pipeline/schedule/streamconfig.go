package schedule

import (
	"math"
	"strconv"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// StreamConfig is the part of a stream's configuration that the schedule depends on.
type StreamConfig struct {
	Name   string
	Kind   schema.Kind
	Filter schema.Filter
	Topic  string
	Key    schema.Key
	Empty  schema.Empty
	Format string // of the records' values
	// Contract determines how columns that the stream never had are handled.
	Contract schema.Contract
	// Changes: the topic is compacted and equals the last snapshot. Such a stream makes
	// one export at a time, and numbers its exports across all days.
	Changes bool
	// Hidden lists the columns whose cells are dropped, hashed or masked, and HiddenKey
	// is the id of the hash key; empty if there are none.
	Hidden, HiddenKey string

	Poll             time.Duration // between the starts of two exports of today
	Lookback         int           // days before today that are still exported again
	LookbackInterval time.Duration // between the starts of two exports of such a day
	// First is the first day that is exported. StartBack counts days back from today
	// instead; it takes precedence unless negative.
	First     schema.Day
	StartBack int
	// Unset is only used by readers of the ledger: see Observe.
	Unset Unset
}

// Unset marks the fields that no variable sets.
type Unset struct{ Kind, Topic, Poll, Lookback, LookbackInterval, Start bool }

// start returns the configured first day.
func (s *StreamConfig) start(today schema.Day) schema.Day {
	switch {
	case s.Kind.Snapshot():
		return today
	case s.StartBack >= 0:
		return today - schema.Day(s.StartBack)
	}
	return s.First
}

// startName returns the start as configured.
func (s *StreamConfig) startName() string {
	if s.StartBack >= 0 {
		return strconv.Itoa(s.StartBack)
	}
	return s.First.String()
}

// pollsPerHour returns how many calls an hour today's polls need.
func (s *StreamConfig) pollsPerHour() int {
	return int(math.Ceil(float64(time.Hour) / float64(s.Poll)))
}

// settles returns the earliest start of an export that settles the day: after its end
// and the lookback.
func (s *StreamConfig) settles(day schema.Day, loc *time.Location) time.Time {
	return (day + schema.Day(s.Lookback)).End(loc)
}

// settings returns the settings that are recorded to detect changes.
func (s *StreamConfig) settings() ledger.Settings {
	return ledger.Settings{Events: s.Filter.Events, ExcludeEvents: s.Filter.ExcludeEvents, Properties: s.Filter.Properties, Audience: s.Filter.Audience,
		Key: string(s.Key), Empty: string(s.Empty), Format: s.Format}
}

// pace returns the stream's schedule for the ledger.
func (s *StreamConfig) pace() *ledger.Pace {
	return &ledger.Pace{Poll: s.Poll.String(), Lookback: s.Lookback, LookbackInterval: s.LookbackInterval.String(), Start: s.startName()}
}

// setPace is the inverse of pace for unset fields. Values that can't be read are
// ignored.
func (s *StreamConfig) setPace(p *ledger.Pace) {
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
