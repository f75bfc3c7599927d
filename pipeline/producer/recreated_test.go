package producer_test

import (
	"errors"
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
			err := l.put(s, l.at(0), "d")
			expectError(t, err, producer.ErrRestore)
			expectError(t, s.Err(), producer.ErrRestore)
			s.Close()
		}
	})
}
