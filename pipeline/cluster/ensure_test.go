package cluster_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestEnsureTopics(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		a := cluster.TopicSpec{Name: topicName(t), Partitions: 3, ReplicationFactor: -1, Configs: map[string]string{"cleanup.policy": "compact"}}
		b := cluster.TopicSpec{Name: topicName(t), Partitions: 1, ReplicationFactor: 1}
		created, err := c.EnsureTopics(t.Context(), true, a)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{a.Name}, created); diff != "" {
			t.Error(diff)
		}
		created, err = c.EnsureTopics(t.Context(), true, b, cluster.TopicSpec{Name: a.Name, Partitions: 12})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{b.Name}, created); diff != "" {
			t.Error(diff)
		}
		topics, err := c.Topics(t.Context(), a.Name, b.Name)
		if err != nil {
			t.Fatal(err)
		}
		if len(topics[0].Partitions) != 3 || len(topics[1].Partitions) != 1 {
			t.Errorf("%+v", topics)
		}
		configs, err := c.TopicConfigs(t.Context(), a.Name, b.Name)
		if err != nil {
			t.Fatal(err)
		}
		want := []cluster.TopicConfig{
			{Name: a.Name, CleanupPolicy: "compact", TimestampType: "LogAppendTime"},
			{Name: b.Name, CleanupPolicy: "delete", TimestampType: "LogAppendTime"},
		}
		rest := cmpopts.IgnoreFields(cluster.TopicConfig{}, "Values", "MaxMessageBytes", "SegmentBytes", "MinInsyncReplicas", "RetentionMs", "RetentionBytes")
		if diff := cmp.Diff(want, configs, rest); diff != "" {
			t.Error(diff)
		}
	})
}

// TestEnsureTopicsRace: instances that start at the same time create the same topics.
func TestEnsureTopicsRace(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		spec := cluster.TopicSpec{Name: topicName(t), Partitions: 3, ReplicationFactor: 1}
		var instances sync.WaitGroup
		for range 4 {
			c := connect(t, cluster.Config{Brokers: brokers})
			instances.Go(func() {
				if _, err := c.EnsureTopics(t.Context(), true, spec); err != nil {
					t.Error(err)
					return
				}
				topics, err := c.Topics(t.Context(), spec.Name)
				if err != nil || topics[0].Err != nil || len(topics[0].Partitions) != 3 {
					t.Errorf("%+v, %v", topics, err)
				}
			})
		}
		instances.Wait()
	})
}

func TestEnsureTopicsRefusals(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		name := topicName(t)
		for _, test := range []struct {
			name   string
			create bool
			spec   cluster.TopicSpec
			says   []string
		}{
			{"creating is not wanted", false,
				cluster.TopicSpec{Name: name, Partitions: 6, ReplicationFactor: 3, Configs: map[string]string{"cleanup.policy": "compact"}},
				[]string{"topic " + name, "kafka-topics.sh --bootstrap-server " + strings.Join(brokers, ",") + " --create --topic " + name +
					" --partitions 6 --replication-factor 3 --config cleanup.policy=compact --config message.timestamp.type=LogAppendTime"}},
			{"the broker's defaults", false, cluster.TopicSpec{Name: name, Partitions: -1, ReplicationFactor: -1},
				[]string{"--create --topic " + name + " --config"}},
			{"more replicas than brokers", true, cluster.TopicSpec{Name: name, Partitions: 1, ReplicationFactor: 99}, []string{name, "Invalid Replication Factor", "--create"}},
		} {
			t.Run(test.name, func(t *testing.T) {
				created, err := c.EnsureTopics(t.Context(), test.create, test.spec)
				if err == nil {
					t.Fatalf("created %v", created)
				}
				for _, part := range test.says {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q does not contain %q", err, part)
					}
				}
			})
		}
	})
}

func TestEnsureTopicsForbidden(t *testing.T) {
	describe := kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: "*", Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationDescribe, Allow: true}
	fake := embedded(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.User("PLAIN", "app", "app-secret", describe))
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), SASL: &cluster.SASL{Mechanism: "PLAIN", Username: "app", Password: fixed("app-secret")}})
	_, err := c.EnsureTopics(t.Context(), true, cluster.TopicSpec{Name: "events", Partitions: 1, ReplicationFactor: 1})
	if !cluster.Forbidden(err) || !strings.Contains(err.Error(), "--create --topic events --partitions 1") {
		t.Errorf("create without the right: %v", err)
	}
}

// TestEnsureTopicsWithoutLeaders: EnsureTopics waits for a partition without a leader for at most
// Config.Timeout.
func TestEnsureTopicsWithoutLeaders(t *testing.T) {
	fake := embedded(t)
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), Timeout: 300 * time.Millisecond})
	fake.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		for _, asked := range req.(*kmsg.MetadataRequest).Topics {
			if asked.Topic != nil && *asked.Topic == "events" && fake.TopicInfo("events") != nil {
				res := req.ResponseKind().(*kmsg.MetadataResponse)
				topic := kmsg.NewMetadataResponseTopic()
				topic.Topic = kmsg.StringPtr("events")
				partition := kmsg.NewMetadataResponseTopicPartition()
				partition.Leader, partition.ErrorCode = -1, 5
				topic.Partitions = append(topic.Partitions, partition)
				res.Topics = append(res.Topics, topic)
				return res, nil, true
			}
		}
		return nil, nil, false
	})
	_, err := c.EnsureTopics(soon(t, 5*time.Second), true, cluster.TopicSpec{Name: "events", Partitions: 1, ReplicationFactor: 1})
	if err == nil || !strings.Contains(err.Error(), "events was created but has no leaders yet") {
		t.Error(err)
	}
}
