package producer_test

import (
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"dfinery-kafka/pipeline/producer"
)

// TestMadeAnew: a topic that is deleted and recreated under a session takes its records, but
// not its fence, and has none of those before. So it ends the session, with the first record or
// a later one.
func TestMadeAnew(t *testing.T) {
	onEachKafka(t, 1, func(t *testing.T, l *log) {
		for _, before := range [][]string{{}, {"a", "b", "c"}} {
			s := l.takeOver(producer.NoIdentity(), l.at(0))
			if len(before) > 0 {
				l.mustPut(s, l.at(0), before...)
			}
			if _, err := l.admin.DeleteTopics(l.soon(), l.topic); err != nil {
				t.Fatal(err)
			}
			for again := true; again; { // brokers forget a deleted topic a moment later
				answer, err := l.admin.CreateTopic(l.soon(), 1, -1, nil, l.topic)
				if again = errors.Is(err, kerr.TopicAlreadyExists); err != nil && !again {
					t.Fatal(answer, err)
				}
			}
			err := l.put(s, l.at(0), "d")
			wantErr(t, err, producer.ErrRestore)
			wantErr(t, s.Err(), producer.ErrRestore)
			s.Close()
		}
	})
}
