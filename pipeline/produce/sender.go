package produce

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"dfinery-kafka/pipeline/cluster"
)

// Sender appends records to one partition. A record goes into the open batch; full batches wait in a short queue, whose being
// full is the back-pressure, and are sent one at a time, in order.
type Sender struct {
	session *Session
	at      cluster.TopicPartition
	limits  limits
	queue   chan job
	stop    context.CancelFunc // of the requests under way

	mu     sync.Mutex // guards open and queued
	open   *batch
	queued int64        // batches put into the queue
	sent   atomic.Int64 // those of them that are acknowledged

	next     int64 // no batch to come stands before it; owned by run
	position atomic.Pointer[Position]
	waiting  atomic.Pointer[waiting] // why the batch in flight is not acknowledged yet
}

// job is a batch to send or, without one, a flush to report: all jobs before it are acknowledged.
type job struct {
	batch   *batch
	flushed chan<- struct{}
}

// waiting is a batch in flight that was not acknowledged at the first attempt.
type waiting struct {
	since time.Time
	err   error // the last answer
}

// Position is how far a partition is known to be written by this session.
type Position struct {
	Next   int64  // the offset after the last acknowledged record; -1 when the broker's answer did not tell
	Last   int64  // the offset of the last acknowledged record; -1 when the broker's answer did not tell
	LastID string // the first header value of the last acknowledged record
}

// Whole makes what is appended between two flushes one batch, which a log has whole or not at all: as long as it fits into the topic's
// max.message.bytes, uncompressed. It is called before the first Append.
func (s *Sender) Whole() { s.limits.target = max(headerSize, s.limits.batch-slack) }

// Append adds a record to the partition. It waits when the queue is full, until the session ends; that error comes at the latest
// with the next full batch. A record that the topic does not take even alone is a *TooLargeError; it is not appended.
func (s *Sender) Append(r *Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = s.session.newBatch()
	}
	s.open.makeRoom(s.limits.target + slack)
	if s.open.append(r) > s.limits.batch {
		return s.fit()
	}
	return s.sealFull()
}

// sealFull queues the open batch once it is large enough. The caller holds mu.
func (s *Sender) sealFull() error {
	if len(s.open.buf) < s.limits.target {
		return nil
	}
	return s.seal(context.Background())
}

// fit deals with an open batch that its last record made larger than Kafka takes: that record gets a batch of its own.
func (s *Sender) fit() error {
	limit := s.limits.batch
	last := s.session.newBatch()
	s.open.split(s.open.count-1, last)
	rest := s.open
	s.open = last
	if rest.count > 0 {
		s.open = rest
		if err := s.seal(context.Background()); err != nil {
			return err
		}
		s.open = last
	} else {
		s.session.freeBatch(rest)
	}
	if len(last.buf) <= limit {
		return s.sealFull()
	}
	// The limit counts the batch as it is sent: compression may make the record fit.
	encoded, err := last.encode(nil, s.session.codec, Identity{}, 0, s.session.now())
	if err != nil {
		return err
	}
	if len(encoded) > limit {
		last.reset()
		return &TooLargeError{Topic: s.at.Topic, Bytes: len(encoded), Limit: limit}
	}
	return s.seal(context.Background())
}

// empty tells whether the open batch has no records. The caller holds mu.
func (s *Sender) empty() bool { return s.open == nil || s.open.count == 0 }

// sealed ends the open batch, which is in the queue now. The caller holds mu.
func (s *Sender) sealed() {
	s.open = nil
	s.queued++
}

// seal queues the open batch, and waits for room. The caller holds mu.
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

// Nudge has the open batch sent without waiting for more records, as far as it can be queued at once; false when it can't now. It is
// not for a sender that is Whole.
func (s *Sender) Nudge() bool {
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

// flush seals the open batch and asks to be told on flushed when all is acknowledged; it returns false when all is already.
// What an abandoned flush left under way counts as much as what came after.
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

// Position is how far the partition is acknowledged; nil when this session wrote nothing to it.
func (s *Sender) Position() *Position { return s.position.Load() }

// Waiting is why the batch in flight is still unacknowledged after an attempt; nil when nothing is wrong.
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
