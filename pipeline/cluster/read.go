package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/recordbatch"
)

// Read visits the records and markers at [from, to) in the order of their offsets, including
// aborted ones, and returns nil when there are no more: it does not wait for records that
// compaction removed. For a compacted topic the second empty answer is accepted, for others an
// empty answer after 30 s. Records in the formats before Kafka 0.11, which have no headers, are
// skipped.
//
// Moved leaders, timeouts and broken connections are retried until there is no progress for 20
// s; a missing topic, and an end of the log before to, for 10 s. A range that the log does not
// have is a *RangeError. Memory is limited to one fetch, or one batch if that is larger, and
// one decompressed batch.
func (c *Cluster) Read(ctx context.Context, p recordbatch.TopicPartition, from, to int64, v recordbatch.Visitor) error {
	r := &reader{cluster: c, TopicPartition: p, to: to, parser: recordbatch.NewParser(from, to, v), fetchBytes: cmp.Or(v.FetchBytes, fetchBytes),
		leader: c.leaders.of(p), retry: newRetry(stalledFor), patient: newRetry(patience), doubtful: newRetry(2 * holeAfter)}
	for !r.parser.Done() {
		if err := r.step(ctx); err != nil {
			return err
		}
	}
	r.parser.End()
	return nil
}

const (
	// patience is for temporary faults of a new topic or an election.
	patience = 10 * time.Second
	// stalledFor is longer than an election. After it the caller reports the fault, which a
	// silent retry would hide.
	stalledFor = 20 * time.Second
)

// reader is the state of one Read.
type reader struct {
	cluster *Cluster
	recordbatch.TopicPartition
	to         int64
	parser     *recordbatch.Parser
	fetchBytes int
	leader     int32 // -1: unknown
	retry      *retry
	patient    *retry // for faults that probably persist
	doubt      doubt
	doubtful   *retry // for records that must be there
	buf        []byte // the last answer, reused
}

// step makes one fetch and visits its records.
func (r *reader) step(ctx context.Context) error {
	answer, err := r.fetch(ctx)
	if err == nil {
		err = NewBrokerError(answer.errorCode, "")
	}
	switch {
	case errors.Is(err, kafka.OffsetOutOfRange):
		return r.outOfRange(ctx)
	case err != nil:
		return r.failed(ctx, err)
	case answer.throttled:
		return r.retry.next(ctx, fmt.Errorf("read %v: throttled by a quota", r.TopicPartition))
	case len(answer.batches) == 0:
		return r.empty(ctx, answer.highWatermark)
	}
	before := r.parser.Next()
	if err := r.parser.Visit(answer.batches); errors.Is(err, recordbatch.ErrCorrupt) {
		return fmt.Errorf("read %v: %w", r.TopicPartition, err)
	} else if err != nil {
		return err
	}
	if r.parser.Next() == before {
		return fmt.Errorf("read %v at offset %d: %w: the answer has only earlier offsets", r.TopicPartition, before, recordbatch.ErrCorrupt)
	}
	r.retry.progress()
	r.patient.progress()
	r.doubtful.progress()
	return nil
}

func (r *reader) fetch(ctx context.Context) (*fetched, error) {
	if r.leader < 0 {
		topics, err := r.cluster.Topics(ctx, r.Topic)
		if err != nil {
			return nil, err
		}
		if r.leader, err = leaderOf(topics, r.TopicPartition); err != nil {
			return nil, err
		}
	}
	buf := r.buf
	r.buf = nil
	answer, err := r.cluster.fetch(ctx, r.leader, r.TopicPartition, r.parser.Next(), r.fetchBytes, buf)
	if err == nil {
		r.buf = answer.buf
	}
	return answer, err
}

func (r *reader) failed(ctx context.Context, err error) error {
	r.forgetLeader()
	err = fmt.Errorf("read %v at offset %d: %w", r.TopicPartition, r.parser.Next(), err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err) // the error of the last request may not contain it
	case Missing(err):
		return r.patient.next(ctx, err)
	case Retriable(err):
		return r.retry.next(ctx, err)
	}
	return err
}

// outOfRange requests the range of the log: directly after an election a new leader may briefly
// refuse valid offsets.
func (r *reader) outOfRange(ctx context.Context) error {
	log, err := r.cluster.Log(ctx, r.TopicPartition)
	if err != nil {
		return r.failed(ctx, err)
	}
	found := &RangeError{Topic: r.Topic, Partition: r.Partition, From: r.parser.Next(), To: r.to, Start: log.Start, End: log.End}
	if next := r.parser.Next(); next < found.Start || next > found.End {
		return found
	}
	r.forgetLeader()
	return r.patient.next(ctx, found)
}

func (r *reader) forgetLeader() {
	r.leader = -1
	r.cluster.leaders.forget(r.TopicPartition)
}
