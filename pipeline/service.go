package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/transfer"
)

// Service exports one DFINERY service to its topics. The methods of its view show its
// progress, before and while it runs.
type Service struct {
	Config
	*view
}

// New returns a service that does not run yet. Its configuration may still be changed.
func New(c Config) *Service {
	return &Service{Config: c, view: &view{service: c.ID, streams: c.Streams}}
}

// Run runs the service until ctx ends, and then returns nil, or with Once a
// *IncompleteError if work is left. It returns earlier after a permanent error. It
// retries transient errors, for at most Patience.
func (s *Service) Run(ctx context.Context) error {
	untilSilent, giveUp := context.WithCancelCause(ctx) // ends when Kafka has been silent for too long
	defer watchSilence(untilSilent, giveUp, s.Cluster, s.Patience)()
	history := newTopicHistory(2*s.OwnerHeartbeat, s.RetryMaxBackoff)
	topics := newTopicCreator(&s.Config)
	standby := newStandby(&s.Config, s.view)
	takeover := newTakeover(&s.Config, s.view, topics, standby)
	attempts := newAttempts(s.Patience)
	for ctx.Err() == nil {
		o, err := s.begin(untilSilent, takeover, topics, history)
		if err == nil {
			attempts.succeeded()
			err = runOwner(ctx, untilSilent, o)
			takeover.ended(o.session.Identity())
			o.close()
		}
		switch next, result := s.classify(ctx, untilSilent, o, err); {
		case next == ends:
			return result
		case next == standsBy:
			if err := standby.wait(ctx, err); err != nil {
				return err
			}
			takeover.fenced()
			continue
		case attempts.exhausted():
			return fmt.Errorf("service %s: %w", s.ID, err)
		}
		topic, alone := history.learn(err, time.Now())
		if s.fills(topic) {
			alone = 0 // it blocks only its stream
		}
		s.Log.Warn(retrying(err), "error", err, "do", remedyOf(s.Cluster, err))
		s.showWaiting(err)
		attempts.pause(ctx, alone)
	}
	return s.stopped(nil)
}

// begin makes this instance the owner. The returned ownership has accounted for
// everything in Kafka.
func (s *Service) begin(ctx context.Context, t *takeover, topics *topicCreator, history *topicHistory) (*owner, error) {
	taken, err := t.take(ctx)
	if err != nil {
		return nil, err
	}
	o := newOwner(&s.Config, s.view, taken, topics, history)
	if err := o.begin(ctx, taken); err != nil {
		taken.session.Close()
		return nil, err
	}
	return o, nil
}

// runOwner runs the owner's loop until ctx ends, or Kafka has been silent for too long.
func runOwner(ctx, untilSilent context.Context, o *owner) error {
	// Whatever waits for Kafka within the ownership notices only the end of its
	// session.
	stop := context.AfterFunc(untilSilent, func() {
		if ctx.Err() == nil {
			o.session.End(context.Cause(untilSilent))
		}
	})
	defer stop()
	return o.run(ctx)
}

// sequel is what follows an ownership that has ended, or a failed takeover.
type sequel int

const (
	retries  sequel = iota // Run takes the service over again
	standsBy               // another instance owns the service
	ends                   // Run returns
)

// classify returns what follows an ownership, or a failed takeover, that ended with
// err, and the result of Run if it ends. o is nil if there was no ownership.
func (s *Service) classify(ctx, untilSilent context.Context, o *owner, err error) (next sequel, result error) {
	_, incomplete := errors.AsType[*IncompleteError](err)
	switch {
	case incomplete:
		return ends, err
	case ctx.Err() != nil:
		return ends, s.stopped(o)
	case err == nil:
		return ends, nil
	case untilSilent.Err() != nil:
		return ends, fmt.Errorf("service %s: %w", s.ID, context.Cause(untilSilent))
	case errors.Is(err, producer.ErrFenced) && s.Once != nil:
		return ends, fmt.Errorf("service %s is owned by another instance now: %w", s.ID, err)
	case errors.Is(err, producer.ErrFenced):
		return standsBy, nil
	case final(err):
		return ends, err
	}
	return retries, nil
}

// stopped returns Run's result when its context has ended: with Once, the due exports
// that were not made. o is the last ownership, or nil.
func (s *Service) stopped(o *owner) error {
	switch {
	case s.Once == nil:
		return nil
	case o == nil:
		return &IncompleteError{Stopped: true}
	}
	return o.unfinished()
}

// fills reports whether a stream publishes to the topic.
func (s *Service) fills(topic string) bool {
	return slices.ContainsFunc(s.Streams, func(st transfer.Stream) bool { return st.Topic == topic })
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

// remedyOf is the advice about an error that ended an ownership.
func remedyOf(k *cluster.Cluster, err error) string {
	if refused, ok := errors.AsType[*producer.RefusedError](err); ok && !refused.TooLarge() {
		return afterRefusal(k, refused.Partition.Topic, err)
	}
	return remedy(err, unlessItPersists)
}

// final reports whether the error is permanent, so that an operator must fix it.
func final(err error) bool {
	_, misplaced := errors.AsType[*store.MisplacedError](err)
	_, unreadable := errors.AsType[*store.RecordError](err)
	_, forgetful := errors.AsType[*cluster.ConfigError](err) // of the ledger
	return misplaced || unreadable || forgetful || errors.Is(err, errSource)
}

// errSource marks an error of the source's constructor: its state in the ledger can't be read.
var errSource = errors.New("the source can't read its state in the ledger")
