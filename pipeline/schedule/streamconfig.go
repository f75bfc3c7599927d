package schedule

import (
	"math"
	"strconv"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// StreamConfig is one configured export, as far as its schedule depends on it.
type StreamConfig struct {
	Name   string
	Kind   schema.Kind
	Filter schema.Filter
	Topic  string
	Key    schema.Key
	Empty  schema.Empty
	Format string // of the records' values
	// Contract says what becomes of columns that the stream never had.
	Contract schema.Contract
	// Changes says that the topic is compacted and equals the last snapshot. Such a
	// stream makes one export at a time, and their numbers count over all days.
	Changes bool
	// Hidden names the lists of columns whose cells are not published as they are, and
	// HiddenKey the key of their hashes; empty without any.
	Hidden, HiddenKey string

	Poll             time.Duration // between the starts of two exports of today
	Lookback         int           // days before today that are still exported again
	LookbackInterval time.Duration // between the starts of two exports of such a day
	// First is the first day that is ever exported; StartBack counts instead back from
	// today. StartBack wins unless negative.
	First     schema.Day
	StartBack int
	// Unset is for readers of the ledger alone: see Observe.
	Unset Unset
}

// Unset says what of a stream no variable sets.
type Unset struct{ Kind, Topic, Poll, Lookback, LookbackInterval, Start bool }

// start is the first day that the configuration names today.
func (s *StreamConfig) start(today schema.Day) schema.Day {
	switch {
	case s.Kind.Snapshot():
		return today
	case s.StartBack >= 0:
		return today - schema.Day(s.StartBack)
	}
	return s.First
}

// startName is the start as it is configured.
func (s *StreamConfig) startName() string {
	if s.StartBack >= 0 {
		return strconv.Itoa(s.StartBack)
	}
	return s.First.String()
}

// pollsPerHour is how many calls an hour today's polls need.
func (s *StreamConfig) pollsPerHour() int {
	return int(math.Ceil(float64(time.Hour) / float64(s.Poll)))
}

// settles is when an export must start at the earliest to settle the day: after its end
// and the lookback.
func (s *StreamConfig) settles(day schema.Day, loc *time.Location) time.Time {
	return (day + schema.Day(s.Lookback)).End(loc)
}

// settings are those that are kept to find out what has changed.
func (s *StreamConfig) settings() ledger.Settings {
	return ledger.Settings{Events: s.Filter.Events, ExcludeEvents: s.Filter.ExcludeEvents, Properties: s.Filter.Properties, Audience: s.Filter.Audience,
		Key: string(s.Key), Empty: string(s.Empty), Format: s.Format}
}

// pace is how the stream is scheduled, for the ledger.
func (s *StreamConfig) pace() *ledger.Pace {
	return &ledger.Pace{Poll: s.Poll.String(), Lookback: s.Lookback, LookbackInterval: s.LookbackInterval.String(), Start: s.startName()}
}

// setPace is the inverse of pace, of what is unset. What can't be read stays as it is.
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
