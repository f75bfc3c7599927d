package ledger

import (
	"time"

	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Checkpoint is the record checkpoint/SERVICE: everything before its offsets is covered by the
// days' records and fingerprints.
type Checkpoint struct {
	At         time.Time `json:"at"`
	Partitions []Mark    `json:"partitions"`
	// Days are the days within reach whose records the ledger has, by stream, each with its
	// From: a record that is missing now was lost. A topic that lost records, or was recreated
	// while its owner ran, has a checkpoint before it has all days.
	Days map[string]map[schema.Day]int `json:"days,omitempty"`

	unknown
}

// Mark is the position up to which a partition was written at a checkpoint.
type Mark struct {
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Next      int64  `json:"next"` // the offset after the last record that is accounted for
	// ID is the header "id" of the service's last record, which is at offset Last; empty if
	// unknown.
	ID   string `json:"id,omitempty"`
	Last int64  `json:"last,omitempty"`

	unknown
}

// Marks returns the checkpoint's marks by partition.
func (c *Checkpoint) Marks() map[recordbatch.TopicPartition]Mark {
	marks := map[recordbatch.TopicPartition]Mark{}
	if c != nil {
		for _, m := range c.Partitions {
			marks[recordbatch.TopicPartition{Topic: m.Topic, Partition: m.Partition}] = m
		}
	}
	return marks
}
