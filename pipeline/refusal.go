package pipeline

import (
	"errors"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/transfer"
)

// refusal is a topic whose records the broker refuses for good, for another reason than their size: what the topic's configuration says of
// timestamps, or a check of records by the broker. Trying again at once would export the same days over and over.
type refusal struct {
	why   error
	wait  backoff.ExponentialBackOff
	pause time.Duration // the last one
	next  time.Time     // when the topic may be written again
	tried bool          // since next
}

// learnRefusal remembers a refusal that ended an ownership. The result is how long the service has to wait for its sake: a stream's topic holds
// up its stream alone.
func (s *Service) learnRefusal(err error, now time.Time) time.Duration {
	refused, ok := errors.AsType[*producer.RefusedError](err)
	if !ok || refused.TooLarge() {
		return 0
	}
	topic := refused.Partition.Topic
	r := s.refusals[topic]
	if r == nil || now.Sub(r.next) > r.pause { // it was written for a while
		first := 2 * s.OwnerHeartbeat
		r = &refusal{wait: backoff.ExponentialBackOff{InitialInterval: first, Multiplier: 2, MaxInterval: max(first, s.RetryMaxBackoff)}}
		if s.refusals == nil {
			s.refusals = map[string]*refusal{}
		}
		s.refusals[topic] = r
	}
	r.why, r.pause, r.tried = err, r.wait.NextBackOff(), false
	r.next = now.Add(r.pause)
	if slices.ContainsFunc(s.Streams, func(st transfer.Stream) bool { return st.Topic == topic }) {
		return 0
	}
	return r.pause
}

// refusedUntilLater is why a topic is not to be written yet; nil when it may be tried.
func (s *Service) refusedUntilLater(topic string, now time.Time) error {
	r := s.refusals[topic]
	if r == nil {
		return nil
	}
	if r.tried = !now.Before(r.next); r.tried {
		return nil
	}
	return r.why
}

// refusalIsOver says that a topic that is held back for a refusal may be tried now.
func (s *Service) refusalIsOver(topic string, now time.Time) bool {
	r := s.refusals[topic]
	return r != nil && !r.tried && !now.Before(r.next)
}

// afterRefusal is the advice about a topic that refuses records.
func (s *Service) afterRefusal(topic string, err error) string {
	if _, strict := errors.AsType[*cluster.TimestampError](err); strict || errors.Is(err, kafka.InvalidTimestamp) {
		return "compare the clocks of this machine and the brokers, and the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms; " +
			"or have the brokers write the time: " + s.Cluster.AlterConfigCommand(topic, "message.timestamp.type", "LogAppendTime")
	}
	return "see the topic's configuration and the brokers' log for what they check of records; the topic is tried again now and then"
}
