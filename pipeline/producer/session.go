package producer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"dfinery-kafka/pipeline/recordbatch"
)

// limits are the size limits of a topic's batches.
type limits struct {
	batch  int // max.message.bytes: the maximum size of a batch as sent
	target int // a batch of this size, uncompressed, is sent
}

// Batches are sent at maxTarget bytes, or less if many partitions share openBytes. With 50 %
// more, 60 partitions need 5 % less processor time and 10 MiB more memory at the peak.
const (
	maxTarget = 512 << 10
	minTarget = 32 << 10
	openBytes = 16 << 20
	// perPartition is the maximum number of batches of a partition in memory: open, queued, in
	// flight.
	perPartition = 3
	// slack lets a batch exceed its target by a last record without exceeding Kafka's limit.
	slack = 16 << 10
)

// Session is one ownership of a set of partitions, from its takeover until it is fenced, fails
// or is closed. Each sender has a goroutine; Close waits for them.
type Session struct {
	fence *Fence
	codec *recordbatch.Codec
	now   func() time.Time
	meter *Meter

	done    chan struct{} // closed when the session ends
	retried chan struct{} // has room for one retry

	mu       sync.Mutex
	err      error // why it ended
	identity Identity
	renewed  instant
	senders  map[recordbatch.TopicPartition]*Sender
	fenced   map[recordbatch.TopicPartition]bool  // partitions whose log has the session's marker
	out      unfenced                             // partitions that could not be fenced
	ends     map[recordbatch.TopicPartition]int64 // ends of their logs when they were fenced, or earlier
	limit    map[string]int                       // by topic
	free     []*recordbatch.Builder
	encoded  [][]byte // buffers of finished deliveries

	running sync.WaitGroup
}

// Identity is the session's producer id and epoch; a renewal changes the epoch. After a failed
// renewal it is the last one that the broker returned: a takeover from it shows whether the
// session was fenced or the renewal merely failed.
func (s *Session) Identity() Identity {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.identity
}

// Done is closed when the session has ended; Err says why.
func (s *Session) Done() <-chan struct{} { return s.done }

// Err is why the session ended: ErrFenced, ErrRestore, ErrClosed, a *RefusedError or an error
// of the broker. It is nil while the session lasts.
func (s *Session) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// End ends the session: everything that waits for it returns err. Only the first call has an
// effect.
func (s *Session) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return
	}
	s.err = err
	close(s.done)
	for _, sender := range s.senders {
		sender.stop()
	}
}

// Close ends the session without waiting for acknowledgements, and waits for its goroutines.
func (s *Session) Close() {
	s.End(ErrClosed)
	s.running.Wait()
}

// Fenced reports whether the partition's log has the session's marker. Only then may it be written.
func (s *Session) Fenced(at recordbatch.TopicPartition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fenced[at]
}

// Unfenced is why the session's fence does not cover a partition; nil if it does.
func (s *Session) Unfenced(at recordbatch.TopicPartition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch why := s.out[at]; {
	case s.fenced[at]:
		return nil
	case why != nil:
		return fmt.Errorf("%w: %w", ErrNotOwned, why)
	}
	return ErrNotOwned
}

// SetLimit sets a topic's max.message.bytes; the default is Kafka's, 1 MiB. It applies to
// senders created later.
func (s *Session) SetLimit(topic string, bytes int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.limit[topic] = bytes
}

// DefaultLimit is Kafka's default for max.message.bytes (a broker's message.max.bytes).
const DefaultLimit = 1048588

// Sender returns the session's sender for a partition that it owns.
func (s *Session) Sender(at recordbatch.TopicPartition) (*Sender, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return nil, s.err
	}
	if sender := s.senders[at]; sender != nil {
		return sender, nil
	}
	if !s.fenced[at] {
		return nil, fmt.Errorf("write to %v: %w", at, ErrNotOwned)
	}
	limit := s.limit[at.Topic]
	if limit == 0 {
		limit = DefaultLimit
	}
	target := min(maxTarget, max(minTarget, openBytes/perPartition/max(1, len(s.fenced))))
	ctx, stop := context.WithCancel(context.Background())
	sender := &Sender{session: s, at: at, stop: stop, next: s.ends[at], queue: make(chan job, 1),
		limits: limits{batch: limit, target: min(target, max(recordbatch.HeaderSize, limit-slack))}}
	s.senders[at] = sender
	s.running.Go(func() { sender.run(ctx) })
	return sender, nil
}

// Flush sends open batches and waits until everything appended before is acknowledged: for all
// senders, or those given. If ctx ends first, batches remain in flight: only a later Flush
// without an error confirms that they are acknowledged. An Append that waits for room blocks
// Flush regardless of ctx; Close ends both.
func (s *Session) Flush(ctx context.Context, senders ...*Sender) error {
	if len(senders) == 0 {
		senders = s.all()
	}
	flushed := make(chan struct{}, len(senders))
	waiting := 0
	for _, sender := range senders {
		asked, err := sender.flush(ctx, flushed)
		if err != nil {
			return err
		}
		if asked {
			waiting++
		}
	}
	for range waiting {
		select {
		case <-flushed:
		case <-s.done:
			return s.Err()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (s *Session) all() []*Sender {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.senders))
}

// Position is the acknowledged position of a partition; false if this session wrote nothing to it.
func (s *Session) Position(at recordbatch.TopicPartition) (recordbatch.Position, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sender := s.senders[at]; sender != nil {
		if p := sender.Position(); p != nil {
			return *p, true
		}
	}
	return recordbatch.Position{}, false
}

// Waiting lists the partitions whose batch in flight was not acknowledged after an attempt,
// with the last answer.
func (s *Session) Waiting() map[recordbatch.TopicPartition]error {
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := make(map[recordbatch.TopicPartition]error)
	for at, sender := range s.senders {
		if err := sender.Waiting(); err != nil {
			waiting[at] = err
		}
	}
	return waiting
}

// Retried receives when a batch has not been acknowledged at an attempt and is sent again; only
// then can Stuck return one. Several retries may be received as one.
func (s *Session) Retried() <-chan struct{} { return s.retried }

// Stuck returns a partition whose batch in flight has not been acknowledged for d, if there is
// one, with the last answer.
func (s *Session) Stuck(d time.Duration) (recordbatch.TopicPartition, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at, sender := range s.senders {
		if w := sender.waiting.Load(); w != nil && s.now().Sub(w.since) >= d {
			return at, w.err
		}
	}
	return recordbatch.TopicPartition{}, nil
}
