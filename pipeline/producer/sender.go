package producer

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"dfinery-kafka/pipeline/recordbatch"
)

// Sender appends records to one partition. A record goes into the open batch; full batches wait
// in a short queue, which causes back-pressure when it is full, and are sent one at a time, in
// order.
type Sender struct {
	session *Session
	at      recordbatch.TopicPartition
	limits  limits
	queue   chan job
	stop    context.CancelFunc // of the requests in flight

	mu     sync.Mutex // guards open and queued
	open   *recordbatch.Builder
	queued int64        // batches put into the queue
	sent   atomic.Int64 // those of them that are acknowledged

	next     int64 // lower bound of the offsets of later batches; owned by run
	position atomic.Pointer[recordbatch.Position]
	waiting  atomic.Pointer[waiting] // why the batch in flight is not acknowledged yet
}

// job is a batch to send or, without a batch, a flush to report once all jobs before it are
// acknowledged.
type job struct {
	batch   *recordbatch.Builder
	flushed chan<- struct{}
}

// waiting is a batch in flight that was not acknowledged at the first attempt.
type waiting struct {
	since time.Time
	err   error // the last answer
}

// UseSingleBatch puts all records between two flushes into one batch, which is written
// atomically, as long as they fit into the topic's max.message.bytes uncompressed. It must be
// called before the first Append.
func (s *Sender) UseSingleBatch() {
	s.limits.target = max(recordbatch.HeaderSize, s.limits.batch-slack)
}

// Append adds a record to the partition; a nil value is null. The memory of key, value and
// headers may be reused afterwards.
//
// It blocks while the queue is full. When the session ends, it returns that error at the latest
// with the next full batch. With two other errors the record is not appended and the session
// continues: an error of the value, returned unchanged, and a *TooLargeError for a record that
// is too large for the topic even in a batch of its own.
func (s *Sender) Append(key []byte, value recordbatch.Value, headers []recordbatch.Header) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = s.session.newBatch()
	}
	s.open.Reserve(s.limits.target + slack)
	size, err := s.open.Append(key, value, headers)
	switch {
	case err != nil:
		return err
	case size > s.limits.batch:
		return s.fit()
	}
	return s.sealFull()
}

// sealFull queues the open batch once it is large enough. The caller holds mu.
func (s *Sender) sealFull() error {
	if s.open.Size() < s.limits.target {
		return nil
	}
	return s.seal(context.Background())
}

// fit handles an open batch that its last record made too large for Kafka: that record gets a
// batch of its own.
func (s *Sender) fit() error {
	limit := s.limits.batch
	last := s.session.newBatch()
	s.open.Split(s.open.Count()-1, last)
	rest := s.open
	s.open = last
	if rest.Count() > 0 {
		s.open = rest
		if err := s.seal(context.Background()); err != nil {
			return err
		}
		s.open = last
	} else {
		s.session.freeBatch(rest)
	}
	if last.Size() <= limit {
		return s.sealFull()
	}
	// The limit counts the batch as it is sent: compression may make the record fit.
	encoded, err := last.Encode(nil, s.session.codec, recordbatch.Stamp{Time: s.session.now()})
	if err != nil {
		return err
	}
	if len(encoded) > limit {
		last.Reset()
		return &TooLargeError{Topic: s.at.Topic, Bytes: len(encoded), Limit: limit}
	}
	return s.seal(context.Background())
}

// empty reports whether the open batch has no records. The caller holds mu.
func (s *Sender) empty() bool { return s.open == nil || s.open.Count() == 0 }

// sealed starts a new open batch after the previous one was queued. The caller holds mu.
func (s *Sender) sealed() {
	s.open = nil
	s.queued++
}

// seal queues the open batch, and blocks until there is room. The caller holds mu.
func (s *Sender) seal(ctx context.Context) error {
	if s.empty() {
		return nil
	}
	select {
	case s.queue <- job{batch: s.open}:
		s.sealed()
		return nil
	case <-s.session.done:
		return s.session.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// TryFlush queues the open batch without waiting for more records; it returns false if that is
// not possible at once. It must not be used for a sender with UseSingleBatch.
func (s *Sender) TryFlush() bool {
	if !s.mu.TryLock() {
		return false // a record is being appended, or waits for room
	}
	defer s.mu.Unlock()
	if s.empty() {
		return true
	}
	select {
	case s.queue <- job{batch: s.open}:
		s.sealed()
		return true
	default:
		return false
	}
}

// flush seals the open batch and requests a signal on flushed once everything is acknowledged;
// it returns false if everything already is. It also covers what an abandoned flush left in
// flight.
func (s *Sender) flush(ctx context.Context, flushed chan<- struct{}) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.seal(ctx); err != nil {
		return false, err
	}
	if s.queued == s.sent.Load() {
		return false, nil
	}
	select {
	case s.queue <- job{flushed: flushed}:
		return true, nil
	case <-s.session.done:
		return false, s.session.Err()
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Position is the acknowledged position of the partition; nil if this session wrote nothing to it.
func (s *Sender) Position() *recordbatch.Position { return s.position.Load() }

// Waiting is why the batch in flight is still unacknowledged after an attempt; nil if there is
// no problem.
func (s *Sender) Waiting() error {
	if w := s.waiting.Load(); w != nil {
		return w.err
	}
	return nil
}

// run sends what is queued until the session ends.
func (s *Sender) run(ctx context.Context) {
	var d delivery
	for {
		select {
		case <-ctx.Done(): // the session has ended
			return
		case j := <-s.queue:
			if j.flushed != nil {
				j.flushed <- struct{}{}
				continue
			}
			if err := d.work(ctx, s, j.batch); err != nil {
				s.session.End(err)
				return
			}
			s.sent.Add(1)
			s.session.freeBatch(j.batch)
		}
	}
}
