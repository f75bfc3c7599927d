package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
)

// Ledger accesses the ledger of one service in its two topics.
type Ledger struct {
	Cluster *cluster.Cluster
	Topic   string // compacted: state
	Rows    string // fingerprints
	Service string
}

// MisplacedError reports that a record of the service is in the wrong partition: partitions
// were added to the ledger topic, which moves keys. Without this error the old state would be
// ignored.
type MisplacedError struct {
	Topic, Key      string
	Partition, Want int
	Offset          int64
}

func (e *MisplacedError) Error() string {
	return fmt.Sprintf("topic %s partition %d offset %d has %q, which belongs to partition %d: partitions were added to the ledger. "+
		"Copy the ledger into a topic with a single partition and name it in LEDGER_TOPIC, or give the topic its former number of partitions",
		e.Topic, e.Partition, e.Offset, e.Key, e.Want)
}

// RecordError reports a record of the ledger that can't be read. Nothing was changed.
type RecordError struct {
	Topic     string
	Partition int
	Offset    int64
	Key       string
	Err       error
}

func (e *RecordError) Error() string {
	return fmt.Sprintf("the ledger's record %q in topic %s partition %d at offset %d can't be read: %v. The service stops, because ignoring the record could repeat or lose rows",
		e.Key, e.Topic, e.Partition, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *RecordError) Unwrap() error { return e.Err }

// Load reads all partitions of the ledger topic up to their current end.
func (l *Ledger) Load(ctx context.Context) (*ledger.State, error) {
	topics, err := l.Cluster.Topics(ctx, l.Topic)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	if topics[0].Err != nil {
		return nil, fmt.Errorf("read the ledger: topic %s: %w", l.Topic, topics[0].Err)
	}
	partitions := topics[0].TopicPartitions()
	logs, err := l.Cluster.Offsets(ctx, partitions...)
	if err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	state := ledger.NewState(cluster.PartitionOf([]byte(l.Service), len(partitions)))
	for _, log := range logs {
		if log.Err != nil {
			return nil, fmt.Errorf("read the ledger: %w", log.Err)
		}
		if log.Partition.Partition == state.Partition {
			state.End = log.End
		}
		if err := l.follow(ctx, state, log.Partition.Partition, log.Start, log.End); err != nil {
			return nil, err
		}
	}
	return state, nil
}

// follow applies the records of [from, to) of one partition of the ledger topic to state. After
// an error none, or only the first ones, are applied.
func (l *Ledger) follow(ctx context.Context, state *ledger.State, partition int, from, to int64) error {
	read := entries{newest: map[string]int{}, days: map[string][]int{}}
	err := l.Cluster.Read(ctx, recordbatch.TopicPartition{Topic: l.Topic, Partition: partition}, from, to, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
		key := string(r.Key)
		if !known(key) || !l.ours(key, r.Value) || partition != state.Partition && strings.HasPrefix(key, commandPrefix) {
			return nil // a command in another partition must not stop this service
		}
		if partition != state.Partition {
			return &MisplacedError{Topic: l.Topic, Key: key, Partition: partition, Want: state.Partition, Offset: r.Offset}
		}
		read.add(key, r.Value, r.Offset)
		return nil
	}})
	if err != nil {
		return err
	}
	for _, r := range read.list {
		if r.over {
			continue
		}
		if err := state.Apply(r.key, r.value, r.offset); err != nil {
			return &RecordError{Topic: l.Topic, Partition: partition, Offset: r.offset, Key: r.key, Err: err}
		}
	}
	return nil
}

// CatchUp applies what was written to the service's partition since state was read.
func (l *Ledger) CatchUp(ctx context.Context, state *ledger.State) error {
	log, err := l.Cluster.Log(ctx, recordbatch.TopicPartition{Topic: l.Topic, Partition: state.Partition})
	if err != nil {
		return err
	}
	if err := l.follow(ctx, state, state.Partition, state.End, log.End); err != nil {
		return err
	}
	state.End = log.End
	return nil
}

// Commands reads the commands for the service among the records of [from, to) of one partition
// of the ledger topic: the last record of each, in order. It skips other records, mostly the
// owner's own, without decoding them.
func (l *Ledger) Commands(ctx context.Context, partition int, from, to int64) ([]*ledger.Command, error) {
	state := ledger.NewState(partition)
	err := l.Cluster.Read(ctx, recordbatch.TopicPartition{Topic: l.Topic, Partition: partition}, from, to, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
		if !bytes.HasPrefix(r.Key, []byte(commandPrefix)) || !l.ours(string(r.Key), r.Value) {
			return nil
		}
		return state.Apply(string(r.Key), r.Value, r.Offset)
	}})
	return state.InOrder(), err
}

const commandPrefix = "command/"

// known reports whether this release reads the kind of record. Others are written by a later
// release and stay in the topic, so that a downgrade does not lose its state.
func known(key string) bool {
	switch kind, _, _ := strings.Cut(key, "/"); kind {
	case "owner", "checkpoint", "service", "day", "command":
		return true
	}
	return false
}

// ours reports whether the record is of this service. A command names its service in its value.
func (l *Ledger) ours(key string, value []byte) bool {
	kind, rest, _ := strings.Cut(key, "/")
	if kind == "command" {
		return value == nil || commandFor(value, l.Service)
	}
	service, _, _ := strings.Cut(rest, "/")
	return service == l.Service
}

// commandFor reports whether a command is for the service. A value that can't be parsed is
// treated as one for any service, which refuses it.
func commandFor(value []byte, service string) bool {
	var c struct {
		Service string `json:"service"`
	}
	return json.Unmarshal(value, &c) != nil || c.Service == service || c.Service == ""
}
