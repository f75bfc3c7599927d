package producer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

// Fence prevents older instances with the same transactional id from writing. The transactional
// id has no other purpose: no record is part of a transaction.
type Fence struct {
	Cluster *cluster.Cluster
	// TransactionalID is shared by all instances; empty disables fencing: several idempotent
	// producers may write.
	TransactionalID string
	Codec           *recordbatch.Codec
	Log             *slog.Logger     // nil: nothing is logged
	Now             func() time.Time // nil: time.Now
	Meter           *Meter           // nil: nothing is counted
	// Patience is how long one request of a takeover or renewal is retried while its errors are
	// transient; 0: until the context ends.
	Patience time.Duration
}

// NoIdentity is the identity of an instance that never owned anything: taking over from it
// fences the current owner.
func NoIdentity() Identity { return Identity{ID: -1, Epoch: -1} }

// TakeOver makes this instance the only one that can write to the partitions, or to as many of
// them as can be fenced now: see Fenced. With from NoIdentity it fences the current owner; with
// the identity of an earlier own session it succeeds only if no other instance has taken over
// since, and otherwise returns ErrFenced. It retries transient errors until ctx ends, or for
// Patience.
func (f *Fence) TakeOver(ctx context.Context, from Identity, partitions []recordbatch.TopicPartition) (*Session, error) {
	s := &Session{
		fence: f, codec: f.Codec, now: f.now, meter: cmp.Or(f.Meter, new(Meter)), done: make(chan struct{}), retried: make(chan struct{}, 1),
		senders: map[recordbatch.TopicPartition]*Sender{}, fenced: map[recordbatch.TopicPartition]bool{}, ends: map[recordbatch.TopicPartition]int64{}, limit: map[string]int{},
	}
	if err := s.acquire(ctx, from, partitions); err != nil {
		return nil, err
	}
	return s, nil
}

// Renew renews the fence, also for new partitions, and gives the session a new epoch. Nothing
// may be appended in the meantime: the caller must flush before, and wait until Renew returns.
// An error ends the session; ErrFenced means that ownership is lost. A partition that the fence
// no longer covers ends the session at the next write to it.
func (s *Session) Renew(ctx context.Context, partitions []recordbatch.TopicPartition) error {
	if err := s.acquire(ctx, s.Identity(), partitions); err != nil {
		s.End(err)
		return err
	}
	return nil
}

// acquire is the takeover itself. All of its steps are necessary, in this order: it bumps the
// epoch; it commits an empty transaction over the partitions, whose marker carries the new
// epoch to their leaders; a second InitProducerId with the same identity succeeds only after
// the markers are written; finally it searches each log for the marker, because the coordinator
// drops the marker of a partition without a leader and still reports success.
func (s *Session) acquire(ctx context.Context, from Identity, partitions []recordbatch.TopicPartition) error {
	began := instantAt(s.now())
	if s.fence.TransactionalID == "" {
		id, err := s.fence.initProducer(ctx, NoIdentity())
		if err != nil {
			return err
		}
		logs := make([]cluster.LogRange, len(partitions))
		for i, p := range partitions {
			logs[i].Partition = p
		}
		s.writeAs(id, logs, nil, began)
		return nil
	}
	bumped, err := s.fence.initProducer(ctx, from)
	if err != nil {
		return err
	}
	if from != NoIdentity() && bumped.ID != from.ID {
		return fmt.Errorf("%w: %s became %s", ErrFenced, from, bumped)
	}
	s.become(bumped)
	out := unfenced{}
	logs, err := s.fence.writable(ctx, partitions, out)
	if err != nil {
		return err
	}
	if logs, err = s.fence.mark(ctx, bumped, logs, out); err != nil {
		return err
	}
	final, err := s.fence.initProducer(ctx, bumped)
	if err != nil {
		return err
	}
	if final.ID != bumped.ID {
		return fmt.Errorf("%w: %s became %s", ErrFenced, bumped, final)
	}
	fenced := s.fence.withMarker(ctx, bumped, logs, out)
	out.logTo(s.fence.log())
	s.writeAs(final, fenced, out, began)
	return nil
}

func (s *Session) become(id Identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = id
}

// writeAs makes the session write as id to the partitions, after the given ends of their logs.
// The age of the fence counts from began, when it was requested.
func (s *Session) writeAs(id Identity, logs []cluster.LogRange, out unfenced, began instant) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.identity = id
	clear(s.fenced)
	for _, l := range logs {
		s.fenced[l.Partition], s.ends[l.Partition] = true, l.End
	}
	s.out, s.renewed = out, began
}

// transactionTimeout lets the broker abort a transaction that a crashed instance left open. It
// can be short, because a transaction is open only for two requests.
const transactionTimeout = 30 * time.Second

func (f *Fence) initProducer(ctx context.Context, from Identity) (Identity, error) {
	var id Identity
	err := f.retry(ctx, "become the producer "+f.TransactionalID, func() error {
		answer, err := f.Cluster.Client().InitProducerID(ctx, &kafka.InitProducerIDRequest{
			TransactionalID: f.TransactionalID, TransactionTimeoutMs: int(transactionTimeout.Milliseconds()),
			ProducerID: int(from.ID), ProducerEpoch: int(from.Epoch),
		})
		if err != nil {
			return err
		}
		if answer.Error != nil {
			return answer.Error
		}
		id = Identity{ID: int64(answer.Producer.ProducerID), Epoch: int16(answer.Producer.ProducerEpoch)}
		return nil
	})
	return id, err
}

// retry repeats a request of the fence while its error is transient, and converts a refusal
// because of a newer instance to ErrFenced.
func (f *Fence) retry(ctx context.Context, what string, try func() error) error {
	wait := &backoff.ExponentialBackOff{InitialInterval: 20 * time.Millisecond, RandomizationFactor: 0.3, Multiplier: 2, MaxInterval: time.Second}
	said, began := "", time.Now()
	for tries := 0; ; tries++ {
		if tries == 1 && f.Meter != nil {
			f.Meter.fencing.Add(1)
			defer f.Meter.fencing.Add(-1)
		}
		err := try()
		switch {
		case err == nil:
			return nil
		case cluster.Fenced(err):
			return fmt.Errorf("%s: %w: %w", what, ErrFenced, err)
		case ctx.Err() != nil:
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		case !isTransient(err), f.Patience > 0 && time.Since(began) >= f.Patience:
			return fmt.Errorf("%s: %w", what, err)
		}
		if text := err.Error(); text != said && !errors.Is(err, kafka.ConcurrentTransactions) && time.Since(began) >= logAfter {
			said = text
			f.log().Warn("waiting to "+what, "error", err, "do", "check the brokers; the request is repeated until they answer")
		}
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
		}
	}
}

// logAfter is longer than a new cluster needs to create its coordinators, which needs no attention.
const logAfter = 2 * time.Second

// isTransient reports whether an error of the transaction coordinator is transient.
func isTransient(err error) bool {
	return cluster.Retriable(err) || errors.Is(err, kafka.ConcurrentTransactions) || errors.Is(err, kafka.NotCoordinatorForGroup) ||
		errors.Is(err, kafka.GroupLoadInProgress) || errors.Is(err, kafka.GroupCoordinatorNotAvailable)
}

func (f *Fence) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}

func (f *Fence) log() *slog.Logger {
	if f.Log != nil {
		return f.Log
	}
	return slog.New(slog.DiscardHandler)
}
