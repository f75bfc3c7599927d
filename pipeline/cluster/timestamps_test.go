package cluster_test

import (
	"errors"
	"testing"

	"dfinery-kafka/pipeline/cluster"
)

func TestTopicConfig_TimestampFault(t *testing.T) {
	for name, test := range map[string]struct {
		kind   string
		values map[string]string
		want   string // the wrong configuration
	}{
		"unknown":                     {},
		"the brokers write the time":  {"LogAppendTime", map[string]string{"message.timestamp.before.max.ms": "0"}, ""},
		"Kafka's defaults":            {"CreateTime", map[string]string{"message.timestamp.before.max.ms": "9223372036854775807", "message.timestamp.after.max.ms": "3600000"}, ""},
		"no time but now":             {"CreateTime", map[string]string{"message.timestamp.before.max.ms": "0"}, "message.timestamp.before.max.ms"},
		"nothing of the future":       {"CreateTime", map[string]string{"message.timestamp.before.max.ms": "60000", "message.timestamp.after.max.ms": "59999"}, "message.timestamp.after.max.ms"},
		"by the name of older Kafkas": {"CreateTime", map[string]string{"message.timestamp.difference.max.ms": "1000"}, "message.timestamp.difference.max.ms"},
	} {
		t.Run(name, func(t *testing.T) {
			err := (&cluster.TopicConfig{Name: "topic", TimestampType: test.kind, Values: test.values}).TimestampFault()
			fault, _ := errors.AsType[*cluster.TimestampError](err)
			if got := ""; fault != nil {
				if got = fault.Config; got != test.want {
					t.Errorf("fault %v, want %q", err, test.want)
				}
			} else if test.want != "" || err != nil {
				t.Errorf("error %v, want that %q is wrong", err, test.want)
			}
		})
	}
}
