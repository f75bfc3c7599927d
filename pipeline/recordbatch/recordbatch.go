// Package recordbatch is Kafka's record batch of format 2, in both directions
// (https://kafka.apache.org/documentation/#recordbatch). A Builder collects
// records and encodes them, a Parser visits the records of what a fetch brought.
//
// It does no I/O, knows nothing of DFINERY, and allocates nothing for a record.
package recordbatch

import (
	"fmt"
	"log/slog"
	"time"
)

// TopicPartition names one partition.
type TopicPartition struct {
	Topic     string
	Partition int
}

func (p TopicPartition) String() string {
	return fmt.Sprintf("topic %s partition %d", p.Topic, p.Partition)
}

// LogValue is the text, for slog.
func (p TopicPartition) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Position is how far a partition is known to be written by one producer.
type Position struct {
	Next   int64  // the offset after the last acknowledged record; -1 when the broker's answer did not say
	Last   int64  // the offset of the last acknowledged record; -1 when the broker's answer did not say
	LastID string // the first header value of the last acknowledged record
}

// Header is one header of a record.
type Header struct{ Key, Value []byte }

// Record is a record as a Parser reads it. Key, Value and Headers are borrowed until the function that was given it returns.
type Record struct {
	Offset        int64
	Time          time.Time // what message.timestamp.type says: the producer's or the broker's
	Key, Value    []byte    // nil: null
	Headers       []Header
	ProducerID    int64 // -1: not an idempotent producer
	ProducerEpoch int16
}

// Header is the value of the first header called name; nil if there is none.
func (r *Record) Header(name string) []byte {
	for i := range r.Headers {
		if string(r.Headers[i].Key) == name {
			return r.Headers[i].Value
		}
	}
	return nil
}

// Marker is a control record that ends a transaction: with it the partition takes no older epoch of the producer any more.
type Marker struct {
	Offset        int64
	Time          time.Time
	ProducerID    int64
	ProducerEpoch int16
	Commit        bool // else it aborts
}

// Visitor takes what is read of a partition. An error from it ends the reading, which returns that error. A nil function takes nothing.
type Visitor struct {
	Record func(*Record) error
	Marker func(Marker) error
	// Hole reports offsets at which nothing can be read: compaction has removed what was at [from, to), or the leader of a topic that is
	// not compacted had nothing to give there for 30 s.
	Hole func(from, to int64)
	// FetchBytes is how many bytes one fetch asks for, for who reads many partitions at once, or little of one; 0 means 4 MiB.
	FetchBytes int
}
