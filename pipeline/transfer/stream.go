package transfer

import (
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// Stream is one configured export and its topic.
type Stream struct {
	schedule.StreamConfig
	Values  *Values // how rows are encoded in a format with types; nil: as encoding.JSON
	MaxBad  float64 // maximum share of bad rows in an export; 1: no limit
	Headers HeaderOptions
	Meta    bool // values also have the columns of schema.MetaColumns
	// Deletes is the policy for deletes with MODE=changes.
	Deletes profiles.Policy
	Privacy *privacy.Policy // of cells that are not published; nil: all are
	Raw     Raw             // what dead letters show
}

// Named returns the stream with this name; nil if there is none.
func Named(streams []Stream, name string) *Stream {
	for i := range streams {
		if streams[i].Name == name {
			return &streams[i]
		}
	}
	return nil
}

// stream is a stream with the days that are in memory.
type stream struct {
	*Stream
	days    map[schema.Day]*Day
	senders []Appender // by partition; empty: the topic can't be written
}

// Day is what is in memory of a day, apart from its record, which belongs to the
// schedule.
type Day struct {
	Name ledger.DayName
	// Rows are the published rows. While the day is busy, they may be used only during
	// a Pause.
	Rows   dedup.Day
	export *Export
	ended  *Export // an export that the next Collect returns
}

// Busy reports whether an export of the day is running, or has ended but was not yet
// collected.
func (d *Day) Busy() bool { return d.export != nil || d.ended != nil }

// day returns the stream's day and adds it if necessary.
func (s *stream) day(at schema.Day) *Day {
	d := s.days[at]
	if d == nil {
		d = &Day{Name: ledger.DayName{Stream: s.Name, Day: at}}
		s.days[at] = d
	}
	return d
}

// stream returns the configured stream with this name.
func (r *Runner) stream(name string) *stream {
	for _, s := range r.streams {
		if s.Name == name {
			return s
		}
	}
	return nil
}

// Day returns a day of a configured stream and adds it if necessary.
func (r *Runner) Day(name ledger.DayName) *Day { return r.stream(name.Stream).day(name.Day) }

// Days yields all days that are in memory.
func (r *Runner) Days(yield func(*Day) bool) {
	for _, s := range r.streams {
		for _, d := range s.days {
			if !yield(d) {
				return
			}
		}
	}
}

// Forget removes a day, whose stream need not be configured any more.
func (r *Runner) Forget(name ledger.DayName) {
	if s := r.stream(name.Stream); s != nil {
		delete(s.days, name.Day)
	}
}

// DropSets frees the rows of idle days, except those of today, which are used again
// soon.
func (r *Runner) DropSets(today schema.Day) {
	for d := range r.Days {
		if d.Name.Day != today && !d.Busy() && !d.Rows.Dirty() {
			d.Rows.Set = nil
		}
	}
}
