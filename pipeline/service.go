package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Service keeps the topics of one DFINERY service equal to what its exports hold. All fields are set before Run, and none has a
// default here: cmd/config knows those.
type Service struct {
	ID       string
	Streams  []transfer.Stream
	Location *time.Location // where the source's days begin

	// NewSource makes the source from the state, and from what was learned of line ends, as the ledger kept them; nil at the first start. It is
	// called for each takeover.
	NewSource func(state, lineEnds json.RawMessage) (Source, error)
	// Redact takes the source's secrets out of a text, for dead letters. It may return the text itself. Safe for concurrent use.
	Redact  func(text []byte) []byte
	Cluster *cluster.Cluster
	Codec   *recordbatch.Codec

	LedgerTopic     string
	DeadLetterTopic string
	CreateTopics    bool
	Partitions      int // of topics that are created
	Replicas        int // of topics that are created; -1 is the broker's default
	AtLeastOnce     bool

	CheckpointInterval time.Duration
	FenceRenewal       time.Duration
	OwnerHeartbeat     time.Duration
	StandbyAfter       time.Duration
	ShutdownTimeout    time.Duration
	RetryBackoff       time.Duration
	RetryMaxBackoff    time.Duration
	NarrowAfter        int
	CommandPoll        time.Duration // how often the ledger is polled for commands
	ConcurrentCalls    int
	CallsPerHour       int
	// Once, if set, makes Run return when nothing is due any more: nil, or a *IncompleteError.
	Once *schedule.Once
	// Patience is how long Kafka, and a topic that is not there, is waited for until Run gives up; 0 for ever.
	Patience time.Duration

	Instance, Host, Version string
	Log                     *slog.Logger
	// Parse reads a row from its raw copy and the columns of its header, into memory of its own: for the replay of dead letters. An error
	// that is a *schema.BadRow says that the row is still bad.
	Parse func(columns *schema.Columns, raw []byte) (*schema.Row, error)
	// Observe, when set, is called with the duration of each export.
	Observe func(stream string, took time.Duration)
	// Step, when set, is called with the name of each point at which a crash may happen. Only tests set it.
	Step func(name string)

	counts Counts
	recent recentLetters
	topics topicHistory // owned by Run
	// absent are the topics of streams, by name, that could not be created, and why. Owned by Run.
	absent map[string]error
	meter  producer.Meter
	status atomic.Pointer[Status]
}

// Run does the service's work until ctx ends, which returns nil, or with Once a *IncompleteError if work is left then; or until a fault that will
// not pass. What may pass is waited for, as long as Patience.
func (s *Service) Run(ctx context.Context) error {
	heard, giveUp := context.WithCancelCause(ctx) // until Kafka has been silent for too long
	defer s.watchSilence(heard, giveUp)()
	s.topics = newTopicHistory(2*s.OwnerHeartbeat, s.RetryMaxBackoff)
	as := producer.NoIdentity()
	wait := &backoff.ExponentialBackOff{InitialInterval: 100 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 15 * time.Second}
	began := time.Now()
	for ctx.Err() == nil {
		o, err := s.open(heard, &as)
		if err == nil {
			wait.Reset()
			began = time.Now()
			// What waits for Kafka within the ownership sees only that its session ends.
			stop := context.AfterFunc(heard, func() {
				if ctx.Err() == nil {
					o.session.End(context.Cause(heard))
				}
			})
			err = o.run(ctx)
			stop()
			as = o.session.Identity()
			o.close()
		}
		var left *IncompleteError
		switch {
		case errors.As(err, &left):
			return err
		case ctx.Err() != nil:
			return s.stopped(o)
		case err == nil:
			return nil
		case heard.Err() != nil:
			return fmt.Errorf("service %s: %w", s.ID, context.Cause(heard))
		case errors.Is(err, producer.ErrFenced):
			if s.Once != nil {
				return fmt.Errorf("service %s is owned by another instance now: %w", s.ID, err)
			}
			if err := s.standBy(ctx, err); err != nil {
				return err
			}
			as = producer.NoIdentity()
			continue
		case final(err):
			return err
		case s.Patience > 0 && time.Since(began) >= s.Patience:
			return fmt.Errorf("service %s: %w", s.ID, err)
		}
		next := wait.NextBackOff()
		if topic, pause := s.topics.learn(err, time.Now()); !s.fills(topic) { // a stream's topic blocks only its stream
			next = max(next, pause)
		}
		s.Log.Warn(retrying(err), "error", err, "do", s.remedyOf(err))
		s.setWaiting(err)
		if s.Patience > 0 {
			next = min(next, s.Patience-time.Since(began))
		}
		pause(ctx, next)
	}
	return s.stopped(nil)
}

// retrying says why the service is taken over again.
func retrying(err error) string {
	switch {
	case errors.Is(err, errChanged):
		return "the topics have changed: taking the service over again"
	case cluster.Retriable(err):
		return "Kafka unreachable, retrying"
	}
	return "Kafka refused a request: taking the service over again"
}

// remedyOf is what there is to do about an error that ended an ownership.
func (s *Service) remedyOf(err error) string {
	if refused, ok := errors.AsType[*producer.RefusedError](err); ok && !refused.TooLarge() {
		return s.afterRefusal(refused.Partition.Topic, err)
	}
	return remedy(err, lookAgain)
}

// final reports whether waiting does not fix the fault: an operator has to.
func final(err error) bool {
	var misplaced *store.MisplacedError
	var unreadable *store.RecordError
	var policy *store.PolicyError
	return errors.As(err, &misplaced) || errors.As(err, &unreadable) || errors.As(err, &policy) || errors.Is(err, errSource)
}

// errSource marks an error of the source's constructor: its state in the ledger can't be read.
var errSource = errors.New("the source does not take its state from the ledger")

func (s *Service) step(name string) {
	if s.Step != nil {
		s.Step(name)
	}
}

// Ledger is the service's ledger.
func (s *Service) Ledger() *store.Ledger {
	return &store.Ledger{Cluster: s.Cluster, Topic: s.LedgerTopic, Rows: s.LedgerTopic + ".rows", Service: s.ID}
}

// fills reports whether a stream fills the topic.
func (s *Service) fills(topic string) bool {
	return slices.ContainsFunc(s.Streams, func(st transfer.Stream) bool { return st.Topic == topic })
}

// streams calls yield with every stream.
func (s *Service) streams(yield func(*transfer.Stream) bool) {
	for i := range s.Streams {
		if !yield(&s.Streams[i]) {
			return
		}
	}
}

// stream is the configured stream of that name.
func (s *Service) stream(name string) *transfer.Stream {
	for st := range s.streams {
		if st.Name == name {
			return st
		}
	}
	return nil
}

// transactionalID fences instances of the same service, and no others.
func (s *Service) transactionalID() string {
	if s.AtLeastOnce {
		return ""
	}
	return s.LedgerTopic + "." + s.ID
}
