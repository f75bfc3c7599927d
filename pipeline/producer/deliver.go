package producer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"dfinery-kafka/pipeline/recordbatch"
)

// attemptTimeout limits one produce request; after it the same bytes are sent again.
const attemptTimeout = 30 * time.Second

// sizeLength is the length of the size field before a record set in a request, which the caller
// of kafka-go must write.
const sizeLength = 4

// delivery is a sender's work in flight. Owned by the sender's goroutine.
type delivery struct {
	as       Identity
	sequence int32     // of the next record; a renewal's new epoch counts from 0
	waits    bool      // whether the meter counts the partition as waiting
	next     time.Time // the broker throttles the client until then
}

// work delivers one batch and counts it as in flight.
func (d *delivery) work(ctx context.Context, s *Sender, b *recordbatch.Builder) error {
	meter := s.session.meter
	meter.inFlight.Add(1)
	defer meter.inFlight.Add(-1)
	defer func() {
		if d.waits {
			d.waits = false
			meter.waiting.Add(-1)
		}
	}()
	return d.deliver(ctx, s, b)
}

// deliver sends one batch until it is acknowledged. Each attempt sends the same bytes: the
// broker recognizes a batch that it already has by its sequence number.
func (d *delivery) deliver(ctx context.Context, s *Sender, b *recordbatch.Builder) error {
	if !d.waitThrottle(s.session.done) {
		return s.session.Err()
	}
	encoded, err := d.encode(s.session, b)
	if err != nil {
		return err
	}
	wait := &backoff.ExponentialBackOff{InitialInterval: 50 * time.Millisecond, RandomizationFactor: 0.3, Multiplier: 2, MaxInterval: time.Second}
	unknown := false // an attempt ended without showing whether the batch was written
	defer func() {
		if !unknown { // the client may still be reading the bytes of an attempt that timed out
			s.session.freeBuffer(encoded)
		}
	}()
	for {
		if err := s.session.mayWrite(s.at); err != nil {
			return err
		}
		offset, throttle, err := s.session.send(ctx, s.at, encoded)
		d.next = time.Now().Add(min(throttle, maxThrottleWait))
		switch verdict(err) {
		case acknowledged:
			if offset >= 0 && offset < s.next {
				// A new log under the same name: it does not fence an older instance, and the
				// previous log's records are lost.
				return fmt.Errorf("%w: %v took records at offset %d, its log reached to %d before: it was recreated, or has lost records", ErrRestore, s.at, offset, s.next)
			}
			d.sequence = advance(d.sequence, b.Count())
			s.acknowledge(offset, b)
			s.session.meter.acknowledged(b.Count(), len(encoded)-sizeLength)
			return nil
		case fenced:
			return fmt.Errorf("%w: %s: %w", ErrFenced, d.as, err)
		case unsure:
			unknown = true
		case unwritten:
		case refused:
			if !unknown && b.Count() > 1 && tooLarge(err) {
				return d.halves(ctx, s, b)
			}
			return &RefusedError{Partition: s.at, Records: b.Count(), Bytes: len(encoded) - sizeLength, Unknown: unknown, Err: err}
		case sequenceMismatch:
			return fmt.Errorf("%w: write to %v: %w", ErrRestore, s.at, err)
		}
		if ctx.Err() != nil {
			return s.session.Err()
		}
		d.noteWait(s, err)
		select {
		case <-time.After(wait.NextBackOff()):
		case <-s.session.done:
			return s.session.Err()
		}
	}
}

// encode encodes a batch, preceded by its size, with the session's current identity.
func (d *delivery) encode(s *Session, b *recordbatch.Builder) ([]byte, error) {
	if as := s.Identity(); as != d.as {
		d.as, d.sequence = as, 0
	}
	encoded, err := b.Encode(append(s.buffer(), make([]byte, sizeLength)...), s.codec, recordbatch.Stamp{
		ProducerID: d.as.ID, ProducerEpoch: d.as.Epoch, Sequence: d.sequence, Time: s.now(),
	})
	if err == nil {
		binary.BigEndian.PutUint32(encoded, uint32(len(encoded)-sizeLength))
	}
	return encoded, err
}

// noteWait records, for Waiting, Retried and the meter, that the batch is sent again after err.
func (d *delivery) noteWait(s *Sender, err error) {
	since := s.session.now()
	if w := s.waiting.Load(); w != nil {
		since = w.since
	}
	s.waiting.Store(&waiting{since, err})
	s.session.meter.retries.Add(1)
	if !d.waits {
		d.waits = true
		s.session.meter.waiting.Add(1)
	}
	select {
	case s.session.retried <- struct{}{}:
	default:
	}
}

// throttleWorthLogging is the shortest throttle time that is logged; shorter ones only smooth
// the rate.
const throttleWorthLogging = time.Second

// send makes one attempt to append an encoded batch and returns the offset of its first record,
// or -1 when the broker does not say, and for how long the broker throttles the client.
func (s *Session) send(ctx context.Context, at recordbatch.TopicPartition, encoded []byte) (offset int64, throttle time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	answer, err := s.fence.Cluster.Client().RawProduce(ctx, &kafka.RawProduceRequest{
		Topic: at.Topic, Partition: at.Partition, RequiredAcks: kafka.RequireAll,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(encoded)},
	})
	if err == nil && answer.Throttle >= throttleWorthLogging {
		s.fence.log().Warn("Kafka throttles this client: its quota is exceeded", "for", answer.Throttle.String(),
			"do", "nothing, if the limit is intended; otherwise raise producer_byte_rate or request_percentage of its user or client-id: kafka-configs.sh --entity-type users or clients shows them")
		if answer.Throttle > maxThrottleWait {
			// The broker does not read from this connection for that long (KIP-219): every
			// request on it, including the owner's heartbeat, would seem unanswered.
			s.fence.Cluster.Reconnect()
		}
	}
	switch {
	case err != nil:
		return -1, 0, err
	case errors.Is(answer.Error, kafka.DuplicateSequenceNumber):
		return -1, answer.Throttle, nil
	}
	return answer.BaseOffset, answer.Throttle, answer.Error
}

// maxThrottleWait limits the wait for a quota: a checkpoint, and the owner's heartbeat after
// it, waits for all partitions.
const maxThrottleWait = 10 * time.Second

// waitThrottle waits for the throttle time of the broker's last answer; false if the session
// has ended.
func (d *delivery) waitThrottle(done <-chan struct{}) bool {
	wait := time.Until(d.next)
	if wait <= 0 {
		return true
	}
	select {
	case <-time.After(wait):
		return true
	case <-done:
		return false
	}
}

// halves sends a batch in two parts that was definitely refused as too large.
func (d *delivery) halves(ctx context.Context, s *Sender, b *recordbatch.Builder) error {
	rest := s.session.newBatch()
	defer s.session.freeBatch(rest)
	b.Split(b.Count()/2, rest)
	if err := d.deliver(ctx, s, b); err != nil {
		return err
	}
	return d.deliver(ctx, s, rest)
}

// acknowledge moves the partition's position past the batch.
func (s *Sender) acknowledge(offset int64, b *recordbatch.Builder) {
	p := &recordbatch.Position{Next: -1, Last: -1, LastID: string(b.LastID())}
	if offset >= 0 {
		p.Next = offset + int64(b.Count())
		p.Last = p.Next - 1
		s.next = p.Next
	}
	s.position.Store(p)
	s.waiting.Store(nil)
}

// advance is the sequence number n records later; it wraps to 0 after the largest int32 (KIP-98).
func advance(sequence int32, n int) int32 {
	return int32((int64(sequence) + int64(n)) & 0x7fffffff)
}
