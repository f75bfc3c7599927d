package pipeline

import (
	"errors"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
)

// topicHistory is what is remembered of topics from one ownership to the next.
type topicHistory struct {
	first, most time.Duration         // between two attempts at a topic that fails
	tooLarge    map[string]int        // by topic: the size of a record that the broker refused although no known limit forbade it
	refusals    map[string]*refusal   // by topic
	reopenings  map[string]*reopening // by stream
}

// refusal is a topic whose records the broker refuses permanently, for another reason
// than their size: the topic's configuration of timestamps, or a check of records by
// the broker. Trying again at once would export the same days over and over.
type refusal struct {
	why   error
	wait  *backoff.ExponentialBackOff
	pause time.Duration // the last one
	next  time.Time     // when the topic may be written again
	tried bool          // since next
}

// reopening spaces the takeovers for the sake of one stream that is left out: each ends
// the exports of all the others.
type reopening struct {
	wait *backoff.ExponentialBackOff
	next time.Time
}

func newTopicHistory(first, most time.Duration) *topicHistory {
	return &topicHistory{first: first, most: most, tooLarge: map[string]int{}, refusals: map[string]*refusal{}, reopenings: map[string]*reopening{}}
}

func (h *topicHistory) backoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{InitialInterval: h.first, Multiplier: 2, MaxInterval: max(h.first, h.most)}
}

// learn remembers the refusal of records that ended an ownership, and returns the topic
// and for how long it is left alone. One record that is too large for a limit that is
// not known, or may not be read, is a dead letter at the next try instead of ending the
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
	if r == nil || now.Sub(r.next) > r.pause { // it was written for a while
		r = &refusal{wait: h.backoff()}
		h.refusals[topic] = r
	}
	r.why, r.pause, r.tried = err, r.wait.NextBackOff(), false
	r.next = now.Add(r.pause)
	return topic, r.pause
}

// refusedUntilLater is why a topic is not to be written yet; nil when it may be tried.
func (h *topicHistory) refusedUntilLater(topic string, now time.Time) error {
	r := h.refusals[topic]
	if r == nil {
		return nil
	}
	if r.tried = !now.Before(r.next); r.tried {
		return nil
	}
	return r.why
}

// refusalIsOver says that a topic that is held back for a refusal may be tried now.
func (h *topicHistory) refusalIsOver(topic string, now time.Time) bool {
	r := h.refusals[topic]
	return r != nil && !r.tried && !now.Before(r.next)
}

// mayReopen says whether it is time to try again for a stream: at once for the first
// time, then less and less often.
func (h *topicHistory) mayReopen(stream string, now time.Time) bool {
	r := h.reopenings[stream]
	if r == nil {
		r = &reopening{wait: h.backoff()}
		h.reopenings[stream] = r
	}
	if now.Before(r.next) {
		return false
	}
	r.next = now.Add(r.wait.NextBackOff())
	return true
}

// reopened forgets that a stream was left out.
func (h *topicHistory) reopened(stream string) { delete(h.reopenings, stream) }

// afterRefusal is the advice about a topic that refuses records.
func afterRefusal(k *cluster.Cluster, topic string, err error) string {
	if _, strict := errors.AsType[*cluster.TimestampError](err); strict || errors.Is(err, kafka.InvalidTimestamp) {
		return "compare the clocks of this machine and the brokers, and the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms; " +
			"or have the brokers write the time: " + k.AlterConfigCommand(topic, "message.timestamp.type", "LogAppendTime")
	}
	return "see the topic's configuration and the brokers' log for what they check of records; the topic is tried again now and then"
}
