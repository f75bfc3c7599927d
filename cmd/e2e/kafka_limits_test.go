package e2e

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestKafka_HiddenSizeLimit: the program may not read the topics' configurations. It learns the
// limit from the broker's refusals: each row that is too large has a dead letter, and the others
// are published.
func TestKafka_HiddenSizeLimit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		config map[string]string
		most   int // the embedded broker accepts batches larger than its segments, so the test refuses them
	}{
		"max.message.bytes": {config: map[string]string{"max.message.bytes": "1000"}},
		"segment.bytes":     {most: 1000},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, cluster := newScripted(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 61, RowsPerDay: 200}})
			hideConfigs(cluster)
			b.unlimited()
			b.set("KAFKA_COMPRESSION", "none", "STREAM_EVENTS_START", "0")
			b.pollEvery("1h")
			b.createTopic("events", 1, test.config)
			if test.most > 0 {
				refuse(cluster, b.prefix+"events", test.most)
			}
			b.runOnce(0)
			letters := b.deadLetters()
			for _, l := range letters {
				if l.Kind != schema.KindRow || l.Error.Code != schema.TooLarge {
					t.Errorf("an unexpected dead letter: %+v", l.Error)
				}
			}
			if published := len(b.published("events")); len(letters) == 0 || published == 0 || published+len(letters) != 200 {
				t.Errorf("%d rows are published and %d dead letters, of 200 rows", published, len(letters))
			}
			// Learning the limit takes a few exports, not one for each row.
			if n := len(b.api.Calls()); n > 30 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// hideConfigs makes the cluster refuse to describe configurations of topics.
func hideConfigs(cluster *kfake.Cluster) {
	cluster.ControlKey(int16(kmsg.DescribeConfigs), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		answer := request.ResponseKind().(*kmsg.DescribeConfigsResponse)
		for _, r := range request.(*kmsg.DescribeConfigsRequest).Resources {
			one := kmsg.NewDescribeConfigsResponseResource()
			one.ResourceType, one.ResourceName, one.ErrorCode = r.ResourceType, r.ResourceName, kerr.TopicAuthorizationFailed.Code
			answer.Resources = append(answer.Resources, one)
		}
		return answer, nil, true
	})
}

// refuse makes the cluster refuse batches that are larger than a topic's segments, as Kafka does.
func refuse(cluster *kfake.Cluster, topic string, most int) {
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		for _, t := range request.(*kmsg.ProduceRequest).Topics {
			for _, p := range t.Partitions {
				if t.Topic != topic || len(p.Records) <= most {
					continue
				}
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode = p.Partition, kerr.RecordListTooLarge.Code
				answer := request.ResponseKind().(*kmsg.ProduceResponse)
				answer.Topics = []kmsg.ProduceResponseTopic{{Topic: topic, Partitions: []kmsg.ProduceResponseTopicPartition{one}}}
				return answer, nil, true
			}
		}
		return nil, nil, false
	})
}

// TestKafka_SegmentBytes exports a row that is within the topic's max.message.bytes but larger
// than a segment: it has a dead letter, because Kafka never accepts it. The other rows are
// published, and this one after segments are made larger.
func TestKafka_SegmentBytes(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 62, RowsPerDay: 20},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{BadRows: []exporttest.BadRow{{After: 7, Kind: exporttest.HugeCell, Size: 1_500_000}}}
		}})
	b.unlimited()
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["KAFKA_COMPRESSION"] = "0", "50ms", "none"
	b.createTopic("events", 1, map[string]string{"max.message.bytes": "10000000", "segment.bytes": "1048576"})
	for range 2 {
		b.runOnce(0)
		if letters := b.deadLetters(); len(letters) != 1 || letters[0].Error.Code != schema.TooLarge {
			t.Fatalf("dead letters: %+v, want one of too_large", letters)
		}
		if n := len(b.published("events")); n != 20 {
			t.Fatalf("%d rows are published, want 20", n)
		}
	}
	b.setTopicConfig("events", "segment.bytes", "10000000")
	b.runOnce(0)
	if n := len(b.published("events")); n != 21 {
		t.Errorf("%d rows are published, want 21", n)
	}
}
