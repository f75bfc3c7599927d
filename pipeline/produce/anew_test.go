package produce_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/produce"
)

// TestMadeAnew: a topic that is deleted and made anew under a session takes its records, but not its fence, and has none of those before. So
// it ends the session, with the first record or a later one.
func TestMadeAnew(t *testing.T) {
	onEachKafka(t, 1, func(t *testing.T, l *log) {
		for _, before := range [][]string{{}, {"a", "b", "c"}} {
			s := l.takeOver(produce.Nobody(), l.at(0))
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
			wantErr(t, err, produce.ErrRestore)
			wantErr(t, s.Err(), produce.ErrRestore)
			s.Close()
		}
	})
}

// TestThrottled: that a broker holds us back for our quota is said, as it looks like a broker that does not answer.
func TestThrottled(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	var said bytes.Buffer
	l.fence.Log = slog.New(slog.NewTextHandler(&said, nil))
	s := l.takeOver(produce.Nobody(), l.at(0))
	throttle := int32(20)
	l.fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		l.fake.KeepControl()
		req := r.(*kmsg.ProduceRequest)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		topic, partition := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
		partition.BaseOffset = int64(throttle)
		topic.Topic, topic.Partitions = req.Topics[0].Topic, append(topic.Partitions, partition)
		res.Topics, res.ThrottleMillis = append(res.Topics, topic), throttle
		return res, nil, true
	})
	l.mustPut(s, l.at(0), "a")
	if said.Len() > 0 {
		t.Errorf("an even pace is said: %s", said.String())
	}
	throttle = 2500
	l.mustPut(s, l.at(0), "b")
	if !strings.Contains(said.String(), "its quota is exceeded") || !strings.Contains(said.String(), "for=2.5s") {
		t.Errorf("it says %q", said.String())
	}
}
