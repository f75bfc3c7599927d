package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
)

// Service keeps the topics of one DFINERY service equal to what its exports hold. How
// it does is seen by the methods of its view, before and while it runs.
type Service struct {
	Config
	*view
}

// New returns a service that is not run yet. Its configuration may still be changed.
func New(c Config) *Service {
	return &Service{Config: c, view: &view{service: c.ID, streams: c.Streams}}
}

// Run does the service's work until ctx ends, which returns nil, or with Once a
// *IncompleteError if work is left then; or until a fault that will not pass. What may
// pass is waited for, as long as Patience.
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
			err = own(ctx, heard, o)
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

// begin makes this instance the owner. From the returned ownership on everything in
// Kafka is accounted for.
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

// own runs the owner's loop until ctx ends, or Kafka is not heard any more.
func own(ctx, heard context.Context, o *owner) error {
	// What waits for Kafka within the ownership sees only that its session ends.
	stop := context.AfterFunc(heard, func() {
		if ctx.Err() == nil {
			o.session.End(context.Cause(heard))
		}
	})
	defer stop()
	return o.run(ctx)
}

// over reports whether Run is over after an ownership, or an attempt at one, that ended
// with err, and how. o is nil if there was none.
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

// stopped is how Run ends with its context: with Once, what is due and was not exported
// is left. o is the last ownership, or nil.
func (s *Service) stopped(o *owner) error {
	switch {
	case s.Once == nil:
		return nil
	case o == nil:
		return &IncompleteError{Stopped: true}
	}
	return o.unfinished()
}

// fills reports whether a stream fills the topic.
func (s *Service) fills(topic string) bool {
	for i := range s.Streams {
		if s.Streams[i].Topic == topic {
			return true
		}
	}
	return false
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
func remedyOf(k *cluster.Cluster, err error) string {
	if refused, ok := errors.AsType[*producer.RefusedError](err); ok && !refused.TooLarge() {
		return afterRefusal(k, refused.Partition.Topic, err)
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
