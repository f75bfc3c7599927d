package pipeline

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
)

// topicHistory is the history of topics that outlives an ownership.
type topicHistory struct {
	firstWait, maxWait time.Duration         // between two attempts at a topic that fails
	tooLarge           map[string]int        // by topic: the size of a record that the broker refused although it was within the known limit
	refusals           map[string]*refusal   // by topic
	reopenings         map[string]*reopening // by stream
}

// refusal is a topic whose records the broker refuses permanently for a reason other
// than size: the topic's timestamp configuration, or a validation of records by the
// broker. Retrying at once would export the same days repeatedly.
type refusal struct {
	why   error
	wait  *backoff.ExponentialBackOff
	pause time.Duration // the last one
	next  time.Time     // when the topic may be written again
	tried bool          // since next
}

// reopening delays takeovers that only include an excluded stream again, as each ends
// the exports of all other streams.
type reopening struct {
	wait *backoff.ExponentialBackOff
	next time.Time
}

func newTopicHistory(firstWait, maxWait time.Duration) *topicHistory {
	return &topicHistory{firstWait: firstWait, maxWait: maxWait, tooLarge: map[string]int{}, refusals: map[string]*refusal{}, reopenings: map[string]*reopening{}}
}

func (h *topicHistory) backoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: h.firstWait, Multiplier: 2, MaxInterval: max(h.firstWait, h.maxWait)}
}

// learn stores the refusal of records that ended an ownership, and returns the topic
// and how long it is not written. A record that is too large for an unknown or
// unreadable limit becomes a dead letter at the next attempt instead of ending the
// session again.
func (h *topicHistory) learn(err error, now time.Time) (topic string, pause time.Duration) {
	refused, ok := errors.AsType[*producer.RefusedError](err)
	if !ok {
		return "", 0
	}
	topic = refused.Partition.Topic
	if refused.TooLarge() {
		if refused.Records == 1 {
			h.tooLarge[topic] = refused.Bytes
		}
		return topic, 0
	}
	r := h.refusals[topic]
	if r == nil || now.Sub(r.next) > r.pause { // the topic was written successfully since
		r = &refusal{wait: h.backoff()}
		h.refusals[topic] = r
	}
	r.why, r.pause, r.tried = err, r.wait.NextBackOff(), false
	r.next = now.Add(r.pause)
	return topic, r.pause
}

// refusedUntilLater returns why a topic must not be written yet; nil if it may be
// tried.
func (h *topicHistory) refusedUntilLater(topic string, now time.Time) error {
	if r := h.refusals[topic]; r != nil && now.Before(r.next) {
		return r.why
	}
	return nil
}

// noteTry records that a topic is written again after a refusal, if it had one.
func (h *topicHistory) noteTry(topic string) {
	if r := h.refusals[topic]; r != nil {
		r.tried = true
	}
}

// refusalIsOver reports whether a topic that is not written because of a refusal may be
// tried now.
func (h *topicHistory) refusalIsOver(topic string, now time.Time) bool {
	r := h.refusals[topic]
	return r != nil && !r.tried && !now.Before(r.next)
}

// mayReopen reports whether it is time for another attempt for a stream: the first one
// at once.
func (h *topicHistory) mayReopen(stream string, now time.Time) bool {
	r := h.reopenings[stream]
	return r == nil || !now.Before(r.next)
}

// noteReopening records an attempt for a stream, after which the next one has to wait:
// longer after each.
func (h *topicHistory) noteReopening(stream string, now time.Time) {
	r := h.reopenings[stream]
	if r == nil {
		r = &reopening{wait: h.backoff()}
		h.reopenings[stream] = r
	}
	r.next = now.Add(r.wait.NextBackOff())
}

// reopened clears the exclusion of a stream.
func (h *topicHistory) reopened(stream string) { delete(h.reopenings, stream) }

// afterRefusal is the advice about a topic that refuses records.
func afterRefusal(k *cluster.Cluster, topic string, err error) string {
	if _, strict := errors.AsType[*cluster.TimestampError](err); strict || errors.Is(err, kafka.InvalidTimestamp) {
		return "check the clocks of this machine and the brokers, and the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms; " +
			"or let the brokers set the timestamp: " + k.AlterConfigCommand(topic, cluster.ConfigTimestampType, "LogAppendTime")
	}
	return "check the topic's configuration and the brokers' log for validations of records; the topic is retried periodically"
}
