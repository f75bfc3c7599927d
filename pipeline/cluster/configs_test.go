package cluster_test

import (
	"testing"

	"dfinery-kafka/pipeline/cluster"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTopicConfigs(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		name := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 1, ReplicationFactor: 1, Configs: map[string]string{
			"cleanup.policy": "compact", "max.message.bytes": "2000000", "segment.bytes": "1500000", "retention.ms": "-1", "retention.bytes": "-1", "min.insync.replicas": "1",
		}})
		configs, err := c.TopicConfigs(t.Context(), name, "nowhere."+name)
		if err != nil {
			t.Fatal(err)
		}
		want := cluster.TopicConfig{
			Name: name, CleanupPolicy: "compact", TimestampType: "LogAppendTime",
			MaxMessageBytes: 2000000, SegmentBytes: 1500000, MinInsyncReplicas: 1, RetentionMs: -1, RetentionBytes: -1,
		}
		if diff := cmp.Diff(want, configs[0], cmpopts.IgnoreFields(cluster.TopicConfig{}, "Values")); diff != "" {
			t.Error(diff)
		}
		if got := configs[0].MaxBatch(); got != 1500000 {
			t.Errorf("batches of %d bytes, want 1500000", got)
		}
		if got := configs[0].Values["cleanup.policy"]; got != "compact" {
			t.Errorf("cleanup.policy among Values is %q", got)
		}
		if !cluster.Missing(configs[1].Err) {
			t.Errorf("a missing topic: %v", configs[1].Err)
		}
	})
}
