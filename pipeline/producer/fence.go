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

// Fence makes older instances with the same transactional id unable to write. The transactional id is used for nothing else:
// no record is part of a transaction.
type Fence struct {
	Cluster *cluster.Cluster
	// TransactionalID is the id that all instances share; empty means no fence: an idempotent producer, several of which may write.
	TransactionalID string
	Codec           *recordbatch.Codec
	Log             *slog.Logger     // nil: nothing is logged
	Now             func() time.Time // nil: time.Now
	Meter           *Meter           // nil: nothing is counted
	// Patience is how long one request of a takeover or renewal is tried again while its answers may pass; 0: until the context ends.
	Patience time.Duration
}

// NoIdentity is the identity of an instance that never owned anything: taking over from it fences the present owner.
func NoIdentity() Identity { return Identity{ID: -1, Epoch: -1} }

// TakeOver makes this instance the only one that can write to the partitions, or as many of them as can be fenced now: see Fenced.
// With from NoIdentity it fences the present owner; with the identity of an own earlier session it succeeds only if no other instance has taken
// over since, else it is ErrFenced. It retries what may pass until ctx ends, or Patience.
func (f *Fence) TakeOver(ctx context.Context, from Identity, partitions []recordbatch.TopicPartition) (*Session, error) {
	s := &Session{
		fence: f, codec: f.Codec, now: f.now, meter: cmp.Or(f.Meter, new(Meter)), done: make(chan struct{}),
		senders: map[recordbatch.TopicPartition]*Sender{}, fenced: map[recordbatch.TopicPartition]bool{}, ends: map[recordbatch.TopicPartition]int64{}, limit: map[string]int{},
	}
	if err := s.acquire(ctx, from, partitions); err != nil {
		return nil, err
	}
	return s, nil
}

// Renew raises the fence again, on partitions that are new as well, and gives the session a new epoch. Nothing may be appended
// meanwhile: the caller has flushed, and holds back until Renew returns. An error ends the session; ErrFenced means that ownership
// is lost. A partition that the fence no longer covers ends the session at the next write to it.
func (s *Session) Renew(ctx context.Context, partitions []recordbatch.TopicPartition) error {
	if err := s.acquire(ctx, s.Identity(), partitions); err != nil {
		s.End(err)
		return err
	}
	return nil
}

// acquire is the takeover itself, in this order, no step of which may be left out:
// the epoch is bumped; an empty transaction over the partitions is committed, whose marker carries the new epoch to their leaders;
// a second InitProducerId with the same identity succeeds only when the markers are written; then each log is searched for the
// marker, because the coordinator drops that of a partition without a leader and succeeds all the same.
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

// writeAs makes the session write as id to the partitions, behind what their logs had. Its fence is as old as the request for it: began.
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

// transactionTimeout lets the broker abort what a dying instance leaves open. It is short: a transaction of ours is open for the
// time of two requests.
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

// retry repeats a request of the fence while its answer may pass, and turns a refusal because of a newer instance into ErrFenced.
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
			f.log().Warn("waiting to "+what, "error", err, "do", "look at the brokers: it is tried until they answer")
		}
		select {
		case <-time.After(wait.NextBackOff()):
		case <-ctx.Done():
		}
	}
}

// logAfter is longer than a new cluster takes to make its coordinators, which is nothing to look after.
const logAfter = 2 * time.Second

// isTransient says which answers of the transaction coordinator may pass.
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
