package pipeline

import (
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Stream is one configured export and the topic that it fills.
type Stream struct {
	schedule.Stream
	// NewEncoder makes the encoder of one export's rows, unless Values says how they are encoded.
	NewEncoder func() encoding.Encoder
	MaxBad     float64 // the largest share of an export's rows that may be bad; 1: all of them
	Values     *Values
	Headers    HeaderOptions
}

// stream is a stream whose topic is written. Owned by the tenure's loop.
type stream struct {
	Stream
	days    map[schema.Day]*day
	senders []*producer.Sender
}

// day is what is in memory of a day beside its record, which the schedule has. Owned by the tenure's loop.
type day struct {
	name   ledger.DayName
	export *export
	ended  *export // an export that the next checkpoint enters into the record
	// rows are the published ones. Whoever uses them holds the export that runs.
	rows dedup.Day
}

func (d *day) busy() bool { return d.export != nil || d.ended != nil }

// day returns the stream's day and adds it if necessary.
func (s *stream) day(at schema.Day) *day {
	d := s.days[at]
	if d == nil {
		d = &day{name: ledger.DayName{Stream: s.Name, Day: at}}
		s.days[at] = d
	}
	return d
}
