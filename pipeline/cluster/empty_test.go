package cluster_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

// TestEmptyAnswers: an empty answer of a leader below its high watermark is retried. In a compacted
// topic the offsets count as a gap after the second empty answer.
func TestEmptyAnswers(t *testing.T) {
	tests := map[string]struct {
		policy string
		empty  int // number of empty answers at first
		read   int // records
		hole   int64
	}{
		"deleted, for a while": {"delete", 4, 10, 0},
		"compacted, once":      {"compact", 1, 10, 0},
		"compacted, twice":     {"compact", 2, 0, 10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			fake := embedded(t, kfake.NumBrokers(1))
			c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
			topic := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 1, ReplicationFactor: 1, Configs: map[string]string{"cleanup.policy": test.policy}})
			records, _ := sample(topic, 10)
			produce(t, fake.ListenAddrs(), nil, records...)
			left := test.empty
			fake.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				if left == 0 {
					return nil, nil, false
				}
				left--
				res := r.ResponseKind().(*kmsg.FetchResponse)
				partition := kmsg.NewFetchResponseTopicPartition()
				partition.HighWatermark = 10
				answer := kmsg.NewFetchResponseTopic()
				answer.Topic, answer.Partitions = topic, []kmsg.FetchResponseTopicPartition{partition}
				res.Topics = append(res.Topics, answer)
				return res, nil, true
			})
			read, hole := 0, int64(0)
			err := c.Read(t.Context(), recordbatch.TopicPartition{Topic: topic}, 0, 10, recordbatch.Visitor{
				Record: func(*recordbatch.Record) error { read++; return nil },
				Hole:   func(from, to int64) { hole += to - from },
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([2]int64{int64(test.read), test.hole}, [2]int64{int64(read), hole}); diff != "" {
				t.Errorf("records and offsets without one (-want +got):\n%s", diff)
			}
		})
	}
}
