// Package recordbatch encodes and decodes Kafka's record batches of format 2
// (https://kafka.apache.org/documentation/#recordbatch). A Builder collects
// records and encodes them, a Parser visits the records of a fetch response.
//
// It does no I/O, is independent of DFINERY, and does not allocate per record.
package recordbatch

import (
	"fmt"
	"log/slog"
	"time"
)

// TopicPartition identifies one partition.
type TopicPartition struct {
	Topic     string
	Partition int
}

func (p TopicPartition) String() string {
	return fmt.Sprintf("topic %s partition %d", p.Topic, p.Partition)
}

// LogValue implements slog.LogValuer.
func (p TopicPartition) LogValue() slog.Value { return slog.StringValue(p.String()) }

// Position is the acknowledged position of one producer in a partition.
type Position struct {
	Next   int64  // the offset after the last acknowledged record; -1 if the broker's answer has none
	Last   int64  // the offset of the last acknowledged record; -1 if the broker's answer has none
	LastID string // the first header value of the last acknowledged record
}

// Header is one header of a record.
type Header struct{ Key, Value []byte }

// Record is a record read by a Parser. Key, Value and Headers are valid until the visiting
// function returns.
type Record struct {
	Offset        int64
	Time          time.Time // of the producer or the broker, depending on message.timestamp.type
	Key, Value    []byte    // nil: null
	Headers       []Header
	ProducerID    int64 // -1: not an idempotent producer
	ProducerEpoch int16
}

// Header returns the value of the first header with this name; nil if there is none.
func (r *Record) Header(name string) []byte {
	for i := range r.Headers {
		if string(r.Headers[i].Key) == name {
			return r.Headers[i].Value
		}
	}
	return nil
}

// Marker is a control record that ends a transaction. After it the partition accepts no older
// epoch of the producer.
type Marker struct {
	Offset        int64
	Time          time.Time
	ProducerID    int64
	ProducerEpoch int16
	Commit        bool // else it aborts
}

// Visitor has the functions that are called while a partition is read. Their first error ends
// the read and is returned. Nil functions are not called.
type Visitor struct {
	Record func(*Record) error
	Marker func(Marker) error
	// Hole reports offsets without readable records: compaction has removed [from, to), or the
	// leader of a topic that is not compacted returned nothing there for 30 s.
	Hole func(from, to int64)
	// FetchBytes is the size of one fetch, for reading many partitions at once, or little of
	// one; 0 means 4 MiB.
	FetchBytes int
}
