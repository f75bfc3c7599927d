package schedule

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Stream is one configured export, as far as its schedule depends on it.
type Stream struct {
	Name   string
	Kind   schema.Kind
	Filter schema.Filter
	Topic  string
	Key    schema.Key
	Empty  schema.Empty
	Format string // of the records' values
	// Contract says what becomes of columns that the stream never had.
	Contract schema.Contract
	// Changes says that the topic is compacted and equals the last snapshot. Such a stream makes one export at a time, and their numbers count
	// over all days.
	Changes bool
	// Hidden names the lists of columns whose cells are not published as they are, and HiddenKey the key of their hashes; empty without any.
	Hidden, HiddenKey string

	Poll             time.Duration // between the starts of two exports of today
	Lookback         int           // days before today that are still exported again
	LookbackInterval time.Duration // between the starts of two exports of such a day
	// First is the first day that is ever exported; StartBack counts instead back from today. StartBack wins unless negative.
	First     schema.Day
	StartBack int
	// Unset is for readers of the ledger alone: see Observe.
	Unset Unset
}

// start is the first day that the configuration names today.
func (s *Stream) start(today schema.Day) schema.Day {
	switch {
	case s.Kind.Snapshot():
		return today
	case s.StartBack >= 0:
		return today - schema.Day(s.StartBack)
	}
	return s.First
}

// startName is the start as it is configured.
func (s *Stream) startName() string {
	if s.StartBack >= 0 {
		return strconv.Itoa(s.StartBack)
	}
	return s.First.String()
}

// pollsPerHour is how many calls an hour today's polls need.
func (s *Stream) pollsPerHour() int { return int(math.Ceil(float64(time.Hour) / float64(s.Poll))) }

// settles is when an export must start at the earliest to settle the day: after its end and the lookback.
func (s *Stream) settles(day schema.Day, loc *time.Location) time.Time {
	return (day + schema.Day(s.Lookback)).End(loc)
}

// Identity names all that the stream's rows depend on.
func (s *Stream) Identity() string { return s.identity() }

// identity names all that the fingerprints of the stream's rows depend on. When it changes, the same events have other rows.
func (s *Stream) identity() string {
	f := s.Filter
	text := string(s.Kind) + "\x00" + s.Topic
	for _, names := range [][]string{f.Properties, {""}, f.ExcludeProperties} {
		for _, name := range names {
			text += "\x00" + name
		}
	}
	if f.Identities != "" { // new: other streams keep the identity that their ledger has
		text += "\x00identities\x00" + f.Identities
	}
	if s.Hidden != "" {
		text += hiddenMark + s.Hidden + hiddenKeyMark + s.HiddenKey
	}
	return text
}

// The prefixes of the lists of hidden columns in an identity, and of their key.
const (
	hiddenMark    = "\x00hidden\x00"
	hiddenKeyMark = "\x00key\x00"
)

// hiddenKeyOf is the key that an identity names; empty for none.
func hiddenKeyOf(identity string) string {
	_, hidden, _ := strings.Cut(identity, hiddenMark)
	_, key, _ := strings.Cut(hidden, hiddenKeyMark)
	return key
}

// TopicOf is the topic that an identity names; empty for none.
func TopicOf(identity string) string {
	parts := strings.Split(identity, "\x00")
	if len(parts) < 2 {
		return ""
	}
	return parts[1]
}

// stream is a stream with everything that is known of it.
type stream struct {
	Stream
	days     map[schema.Day]*day
	setting  ledger.Settings
	kept     ledger.Stream // as the ledger has it, or will at the next checkpoint
	dueFrom  schema.Day    // the oldest day that is due, whatever start names today; 0 if not known
	columns  ledger.Columns
	charset  string // what the published rows were read in; empty if that is not known
	lastCall time.Time
	exports  int    // of a stream of changes: the highest number of an export, as its own record has it
	blocked  string // why the topic can't be written now; empty if it can
	probe    probe
	warned   schema.Day // when its days about to be lost were last warned of
	// namesTold says that names of the filter that do not occur were reported.
	namesTold bool
}

// first is the oldest day that is exported today: the configured start, or before it what was due and was not exported since.
func (s *stream) first(today schema.Day) schema.Day {
	first := s.start(today)
	if s.dueFrom != 0 && !s.Kind.Snapshot() {
		first = min(first, s.dueFrom)
	}
	return max(first, today-schema.Reach)
}

// day returns the stream's day and adds it if necessary.
func (s *stream) day(at schema.Day) *day {
	d := s.days[at]
	if d == nil {
		d = &day{name: ledger.DayName{Stream: s.Name, Day: at}, record: ledger.Day{State: ledger.Pending, Generation: 1}}
		s.days[at] = d
	}
	return d
}

// inOrder are the days, oldest first.
func (s *stream) inOrder() []schema.Day { return slices.Sorted(maps.Keys(s.days)) }
