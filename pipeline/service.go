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
	heard, giveUp := context.WithCancelCause(ctx) // until Kafka has been silent for too long
	defer watchSilence(heard, giveUp, s.Cluster, s.Patience)()
	history := newTopicHistory(2*s.OwnerHeartbeat, s.RetryMaxBackoff)
	topics := newTopicCreator(&s.Config)
	standby := newStandby(&s.Config, s.view)
	takeover := newTakeover(&s.Config, s.view, topics, standby)
	attempts := newAttempts(s.Patience)
	for ctx.Err() == nil {
		o, err := s.begin(heard, takeover, topics, history)
		if err == nil {
			attempts.succeeded()
			err = runOwner(ctx, heard, o)
			takeover.ended(o.session.Identity())
			o.close()
		}
		if over, err := s.over(ctx, heard, o, err); over {
			return err
		}
		switch {
		case errors.Is(err, producer.ErrFenced):
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
func runOwner(ctx, heard context.Context, o *owner) error {
	// Whatever waits for Kafka within the ownership notices only the end of its
	// session.
	stop := context.AfterFunc(heard, func() {
		if ctx.Err() == nil {
			o.session.End(context.Cause(heard))
		}
	})
	defer stop()
	return o.run(ctx)
}

// over reports whether Run ends after an ownership, or a failed takeover, that ended
// with err, and with which error. o is nil if there was no ownership.
func (s *Service) over(ctx, heard context.Context, o *owner, err error) (bool, error) {
	var left *IncompleteError
	switch {
	case errors.As(err, &left):
		return true, err
	case ctx.Err() != nil:
		return true, s.stopped(o)
	case err == nil:
		return true, nil
	case heard.Err() != nil:
		return true, fmt.Errorf("service %s: %w", s.ID, context.Cause(heard))
	case errors.Is(err, producer.ErrFenced) && s.Once != nil:
		return true, fmt.Errorf("service %s is owned by another instance now: %w", s.ID, err)
	case errors.Is(err, producer.ErrFenced):
		return false, nil
	}
	return final(err), err
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
	var misplaced *store.MisplacedError
	var unreadable *store.RecordError
	var policy *store.PolicyError
	return errors.As(err, &misplaced) || errors.As(err, &unreadable) || errors.As(err, &policy) || errors.Is(err, errSource)
}

// errSource marks an error of the source's constructor: its state in the ledger can't be read.
var errSource = errors.New("the source can't read its state in the ledger")
