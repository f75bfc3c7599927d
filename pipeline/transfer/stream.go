package transfer

import (
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// Stream is one configured export and the topic that it fills.
type Stream struct {
	schedule.StreamConfig
	Values  *Values // how rows are encoded in a format with types; nil: as encoding.JSON
	MaxBad  float64 // the largest share of an export's rows that may be bad; 1: all of them
	Headers HeaderOptions
	Meta    bool // values have the columns of schema.MetaColumns, too
	// Deletes is how a stream of changes deletes profiles.
	Deletes profiles.Policy
	Privacy *privacy.Policy // of cells that are not published; nil: all are
	Raw     Raw             // what dead letters show
}

// stream is a stream and what is in memory of its days.
type stream struct {
	*Stream
	days    map[schema.Day]*Day
	senders []Appender // by partition; none: the topic can't be written
}

// Day is what is in memory of a day beside its record, which the schedule has.
type Day struct {
	Name ledger.DayName
	// Rows are the published ones. While the day is busy, they may be used only during a Pause.
	Rows   dedup.Day
	export *Export
	ended  *Export // an export that the next Collect returns
}

// Busy reports whether an export of the day runs, or has ended but was not collected yet.
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

// stream is the configured stream of that name.
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

// Days calls yield with every day of which something is in memory.
func (r *Runner) Days(yield func(*Day) bool) {
	for _, s := range r.streams {
		for _, d := range s.days {
			if !yield(d) {
				return
			}
		}
	}
}

// Forget drops a day, whose stream need not be configured any more.
func (r *Runner) Forget(name ledger.DayName) {
	if s := r.stream(name.Stream); s != nil {
		delete(s.days, name.Day)
	}
}

// DropSets drops the rows of idle days from memory: those of today are used again soon.
func (r *Runner) DropSets(today schema.Day) {
	for d := range r.Days {
		if d.Name.Day != today && !d.Busy() && !d.Rows.Dirty() {
			d.Rows.Set = nil
		}
	}
}
