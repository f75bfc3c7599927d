package main_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestHiddenLimit: where topics' configurations may not be read, the broker's refusals teach the limit, and each row that is too large
// becomes a dead letter; the others are published.
func TestHiddenLimit(t *testing.T) {
	t.Parallel()
	cluster := embedded(t, kfake.NumBrokers(1))
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
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 61, RowsPerDay: 200}})
	b.unbounded()
	b.brokers = strings.Join(cluster.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"], b.environ["KAFKA_COMPRESSION"], b.environ["STREAM_EVENTS_START"] = b.brokers, "none", "0"
	b.quiet()
	b.createTopic("events", 1, map[string]string{"max.message.bytes": "1000"})
	b.once(0)
	letters := b.letters()
	for _, l := range letters {
		if l.Kind != schema.KindRow || l.Error.Code != schema.TooLarge {
			t.Errorf("an unexpected dead letter: %+v", l.Error)
		}
	}
	if published := len(b.published("events")); len(letters) == 0 || published == 0 || published+len(letters) != 200 {
		t.Errorf("%d rows are published and %d dead letters, of 200 rows", published, len(letters))
	}
	// Learning costs a few exports, not one for each row.
	if n := len(b.api.Calls()); n > 30 {
		t.Errorf("%d calls", n)
	}
}
