package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"
)

// Visitor takes what Read finds. An error from it ends Read, which returns that error. A nil function takes nothing.
type Visitor struct {
	Record func(*Record) error
	Marker func(Marker) error
	// Hole is told of offsets at which nothing stands that can be read: compaction has removed what stood at [from, to), or the leader of a
	// topic that is not compacted had nothing to give there for 30 s.
	Hole func(from, to int64)
	// AtOnce is how many bytes one fetch asks for, for who reads many partitions at once, or little of one; 0 means 4 MiB.
	AtOnce int
}

// Read visits the records and markers of [from, to) in the order of their offsets, aborted ones too, and returns nil when there
// are no more: records that compaction removed are not waited for. That there are none is believed at the second answer of a compacted
// topic, and after 30 s otherwise. Records in the formats before Kafka 0.11, which have no
// headers, are passed over.
//
// Moved leaders, timeouts and broken connections are retried until there was no progress for 20 s; a missing topic, and an end of the
// log before to, for 10 s. A range that the log does not hold is a *RangeError. Memory is bounded by one fetch, or one batch
// if that is larger, and one decompressed batch.
func (c *Cluster) Read(ctx context.Context, p TopicPartition, from, to int64, v Visitor) error {
	r := &reader{cluster: c, TopicPartition: p, next: from, seen: from, to: to, visitor: v, leader: -1, retry: newRetry(stalledFor), patient: newRetry(patience), doubtful: newRetry(2 * holeAfter)}
	for r.next < r.to {
		if err := r.step(ctx); err != nil {
			return err
		}
	}
	r.stands(to, to)
	return nil
}

// stands notes that something stands at [from, to), and tells of the hole before it.
func (r *reader) stands(from, to int64) {
	if from = min(from, r.to); from > r.seen && r.visitor.Hole != nil {
		r.visitor.Hole(r.seen, from)
	}
	r.seen = max(r.seen, to)
}

const (
	// patience is for what a new topic or an election explains for a moment, but only for a moment.
	patience = 10 * time.Second
	// stalledFor is longer than an election takes. Whoever reads can say then what is wrong; here nobody would.
	stalledFor = 20 * time.Second
)

// reader is one Read under way.
type reader struct {
	cluster *Cluster
	TopicPartition
	next, to int64
	visitor  Visitor
	leader   int32 // -1: to be asked for
	retry    *retry
	patient  *retry // for what is more likely to stay as it is
	doubt    doubt
	doubtful *retry // for records that must be there
	buf      []byte // the last answer, to be used again
	scratch  []byte // the last decompressed batch
	seen     int64  // records and markers stand before here, or holes
	record   Record
}

// step makes one fetch and visits what it brought.
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
	before := r.next
	if err := r.visit(answer.batches); err != nil {
		return err
	}
	if r.next == before {
		return fmt.Errorf("read %v at offset %d: %w: the answer holds earlier offsets only", r.TopicPartition, r.next, errCorrupt)
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
	answer, err := r.cluster.fetch(ctx, r.leader, r.TopicPartition, r.next, cmp.Or(r.visitor.AtOnce, fetchBytes), buf)
	if err == nil {
		r.buf = answer.buf
	}
	return answer, err
}

func (r *reader) failed(ctx context.Context, err error) error {
	r.leader = -1
	err = fmt.Errorf("read %v at offset %d: %w", r.TopicPartition, r.next, err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w: %w", ctx.Err(), err) // the error of the last request may not tell
	case Missing(err):
		return r.patient.next(ctx, err)
	case Retriable(err):
		return r.retry.next(ctx, err)
	}
	return err
}

// outOfRange asks what there is: right after an election a new leader may for a moment refuse what is in range.
func (r *reader) outOfRange(ctx context.Context) error {
	log, err := r.cluster.Log(ctx, r.TopicPartition)
	if err != nil {
		return r.failed(ctx, err)
	}
	found := &RangeError{Topic: r.Topic, Partition: r.Partition, From: r.next, To: r.to, Start: log.Start, End: log.End}
	if r.next < found.Start || r.next > found.End {
		return found
	}
	r.leader = -1
	return r.patient.next(ctx, found)
}

func (r *reader) visit(data []byte) error {
	for visited := false; r.next < r.to; visited = true {
		b, rest, err := nextBatch(data)
		if err != nil {
			return fmt.Errorf("read %v: %w", r.TopicPartition, err)
		}
		if rest == nil {
			if !visited {
				return fmt.Errorf("read %v at offset %d: %w: cut short", r.TopicPartition, r.next, errCorrupt)
			}
			return nil
		}
		if b.last >= r.next {
			if err := r.visitBatch(&b); err != nil {
				return err
			}
			r.next = b.last + 1
		}
		if data = rest; len(data) == 0 {
			return nil
		}
	}
	return nil
}

func (r *reader) visitBatch(b *batch) (err error) {
	isControl := b.attributes&control != 0
	if whole := b.last - b.base + 1; int64(b.count) == whole {
		r.stands(b.base, b.last+1)
	}
	if isControl && r.visitor.Marker == nil || !isControl && r.visitor.Record == nil {
		return nil
	}
	var records []byte
	if records, r.scratch, err = b.decompress(r.scratch); err != nil {
		return fmt.Errorf("read %v: %w", r.TopicPartition, err)
	}
	c := cursor{rest: records}
	r.record.ProducerID, r.record.ProducerEpoch = b.producerID, b.producerEpoch
	for range b.count {
		b.record(&c, &r.record)
		r.stands(r.record.Offset, r.record.Offset+1)
		switch {
		case c.short:
			return fmt.Errorf("read %v: %w: at offset %d: a record is cut short", r.TopicPartition, errCorrupt, b.base)
		case r.record.Offset < r.next || r.record.Offset >= r.to:
		case isControl:
			err = r.visitor.Marker(markerOf(&r.record))
		default:
			err = r.visitor.Record(&r.record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// markerOf reads the type in the key of a control record: version, then 0 for abort or 1 for commit.
func markerOf(r *Record) Marker {
	key := cursor{rest: r.Key}
	key.int16()
	return Marker{Offset: r.Offset, Time: r.Time, ProducerID: r.ProducerID, ProducerEpoch: r.ProducerEpoch, Commit: key.int16() == 1}
}
