package pipeline

import (
	"errors"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// TestTopicHistory_Refusal: each time a topic refuses records it is not written to for a longer
// time, until it has accepted records for a while.
func TestTopicHistory_Refusal(t *testing.T) {
	h := newTopicHistory(time.Minute, 4*time.Minute)
	refused := &producer.RefusedError{Partition: recordbatch.TopicPartition{Topic: "a"}, Records: 3, Err: kafka.InvalidTimestamp}
	now := noon
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 4 * time.Minute} {
		if topic, got := h.learn(refused, now); topic != "a" || got != want {
			t.Errorf("topic %q is not written to for %s, want a for %s", topic, got, want)
		}
		if err := h.refusedUntilLater("a", now.Add(want-1)); !errors.Is(err, refused) {
			t.Errorf("before the end of the wait: %v, want %v", err, refused)
		}
		now = now.Add(want)
		if !h.refusalIsOver("a", now) || h.refusedUntilLater("a", now) != nil {
			t.Error("the topic can't be tried after the wait")
		}
		if h.noteTry("a"); h.refusalIsOver("a", now) || h.refusedUntilLater("a", now) != nil {
			t.Error("the topic is to be tried again while it is tried")
		}
	}
	if _, got := h.learn(refused, now.Add(5*time.Minute)); got != time.Minute {
		t.Errorf("after it accepted records for a while: %s, want %s", got, time.Minute)
	}
	if h.refusedUntilLater("b", now) != nil || h.refusalIsOver("b", now) {
		t.Error("another topic has to wait")
	}
}

// TestTopicHistory_TooLarge: the size of a single record that was refused becomes a limit; the size
// of a batch of several does not.
func TestTopicHistory_TooLarge(t *testing.T) {
	h := newTopicHistory(time.Minute, time.Hour)
	refused := &producer.RefusedError{Partition: recordbatch.TopicPartition{Topic: "a"}, Records: 2, Bytes: 5000, Err: kafka.MessageSizeTooLarge}
	for _, records := range []int{2, 1} {
		refused.Records = records
		if _, pause := h.learn(refused, noon); pause != 0 || h.refusedUntilLater("a", noon) != nil {
			t.Errorf("the topic is not written to for %s", pause)
		}
		if got := h.tooLarge["a"] == 5000; got != (records == 1) {
			t.Errorf("%d records: limit %d", records, h.tooLarge["a"])
		}
	}
}

// TestTopicHistory_Reopen: takeovers because of one stream are made with growing pauses, until the
// stream is written again.
func TestTopicHistory_Reopen(t *testing.T) {
	h := newTopicHistory(time.Minute, 2*time.Minute)
	now := noon
	for n, want := range []time.Duration{0, time.Minute, 2 * time.Minute, 2 * time.Minute} {
		if want > 0 && h.mayReopen("events", now.Add(want-1)) {
			t.Errorf("attempt %d is allowed too early", n)
		}
		if now = now.Add(want); !h.mayReopen("events", now) {
			t.Errorf("attempt %d is not allowed after %s", n, want)
		}
		h.noteReopening("events", now)
	}
	h.reopened("events")
	if !h.mayReopen("events", now) {
		t.Error("the next attempt of a stream that was written again has to wait")
	}
}
