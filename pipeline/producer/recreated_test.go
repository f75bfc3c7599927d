package producer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"dfinery-kafka/pipeline/producer"
)

// TestSession_RecreatedTopic: a topic that is deleted and recreated during a session would
// accept its records, but has no fence and none of the earlier records. The session ends, at
// the first record or a later one.
func TestSession_RecreatedTopic(t *testing.T) {
	onEachKafka(t, 1, func(t *testing.T, l *log) {
		for _, before := range [][]string{{}, {"a", "b", "c"}} {
			s := l.takeOver(producer.NoIdentity(), l.at(0))
			if len(before) > 0 {
				l.mustPut(s, l.at(0), before...)
			}
			if _, err := l.admin.DeleteTopics(l.soon(), l.topic); err != nil {
				t.Fatal(err)
			}
			for again := true; again; { // brokers remove a deleted topic with a delay
				answer, err := l.admin.CreateTopic(l.soon(), 1, -1, nil, l.topic)
				if again = errors.Is(err, kerr.TopicAlreadyExists); err != nil && !again {
					t.Fatal(answer, err)
				}
			}
			l.awaitBroker()
			err := l.put(s, l.at(0), "d")
			expectError(t, err, producer.ErrRestore)
			expectError(t, s.Err(), producer.ErrRestore)
			s.Close()
		}
	})
}

// awaitBroker waits until the broker goes by all that the controller has accepted. It learns of
// it in order, and shows a topic before it goes by all that came with it: when it shows a topic
// that was created after another one was shown, it goes by everything before that one.
func (l *log) awaitBroker() {
	l.t.Helper()
	for range 2 {
		mark := fmt.Sprintf("%s-mark-%08x", l.topic, rand.Uint32())
		if _, err := l.admin.CreateTopic(l.soon(), 1, -1, nil, mark); err != nil {
			l.t.Fatal(err)
		}
		l.t.Cleanup(func() { _, _ = l.admin.DeleteTopics(context.Background(), mark) })
		for shown := false; !shown; {
			topics, err := l.admin.ListTopics(l.soon(), mark)
			if err != nil {
				l.t.Fatal(err)
			}
			shown = topics.Has(mark) && topics[mark].Err == nil
		}
	}
}
