package cluster_test

import (
	"strconv"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// asState compares errors by their class.
func asState(err error) string {
	switch {
	case err == nil:
		return "ok"
	case cluster.Missing(err):
		return "missing"
	case cluster.Forbidden(err):
		return "forbidden"
	}
	return err.Error()
}

func TestTopics(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		name := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 2, ReplicationFactor: 1})
		topics, err := c.Topics(t.Context(), "nowhere."+name, name)
		if err != nil {
			t.Fatal(err)
		}
		states := map[string]string{}
		for _, topic := range topics {
			states[topic.Name] = asState(topic.Err)
		}
		if diff := cmp.Diff(map[string]string{"nowhere." + name: "missing", name: "ok"}, states); diff != "" {
			t.Error(diff)
		}
		alive, err := c.Brokers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := make([]cluster.Partition, 2)
		for i := range want {
			got := topics[1].Partitions[i]
			want[i] = cluster.Partition{ID: i, Leader: got.Leader, Replicas: []int32{got.Leader}, ISR: []int32{got.Leader}}
			if !containsBroker(alive, got.Leader) {
				t.Errorf("the leader of partition %d is %d, which is not a broker of %v", i, got.Leader, alive)
			}
		}
		if diff := cmp.Diff(want, topics[1].Partitions, cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func containsBroker(brokers []cluster.Broker, id int32) bool {
	for _, b := range brokers {
		if b.ID == id && b.Err == nil {
			return true
		}
	}
	return false
}

func TestTopicsForbidden(t *testing.T) {
	allow := func(topic string, operation kmsg.ACLOperation) kfake.ACL {
		return kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: operation, Allow: true}
	}
	fake := embedded(t, kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser("PLAIN", "root", "root-secret"),
		kfake.User("PLAIN", "app", "app-secret", allow("open", kmsg.ACLOperationRead), allow("open", kmsg.ACLOperationWrite)),
		kfake.SeedTopics(1, "open", "closed"))
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), SASL: &cluster.SASL{Mechanism: "PLAIN", Username: "app", Password: fixed("app-secret")}})
	topics, err := c.Topics(t.Context(), "closed", "open")
	if err != nil {
		t.Fatal(err)
	}
	if asState(topics[0].Err) != "forbidden" || asState(topics[1].Err) != "ok" {
		t.Errorf("closed is %v, open is %v", topics[0].Err, topics[1].Err)
	}
	if diff := cmp.Diff(cluster.Rights{Known: true, Read: true, Write: true}, topics[1].Rights); diff != "" {
		t.Error(diff)
	}
	configs, err := c.TopicConfigs(t.Context(), "open")
	if err != nil {
		t.Fatal(err)
	}
	if asState(configs[0].Err) != "forbidden" {
		t.Errorf("describe the configuration without the right: %v", configs[0].Err)
	}
}

func fixed(password string) func() (string, error) {
	return func() (string, error) { return password, nil }
}

// TestMovedLeader: after a leader has moved, Topics returns the new one at once, and Client uses it
// after the first refused request.
func TestMovedLeader(t *testing.T) {
	fake := embedded(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "events"))
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), Topics: []string{"events"}})
	write := func() error {
		res, err := c.Client().Produce(soon(t, 5*time.Second), &kafka.ProduceRequest{
			Topic: "events", RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(kafka.Record{Value: kafka.NewBytes([]byte("v"))}),
		})
		if err != nil {
			return err
		}
		return res.Error
	}
	for node := range int32(3) {
		t.Run("to "+strconv.Itoa(int(node)), func(t *testing.T) {
			if err := write(); err != nil {
				t.Fatal(err)
			}
			refused := fake.LeaderFor("events", 0) != node
			if err := fake.MoveTopicPartition("events", 0, node); err != nil {
				t.Fatal(err)
			}
			topics, err := c.Topics(t.Context(), "events")
			if err != nil || topics[0].Partitions[0].Leader != node {
				t.Errorf("Topics: %v, %v", topics, err)
			}
			if err := write(); refused && !cluster.Retriable(err) {
				t.Errorf("the former leader answered %v", err)
			}
			if err := write(); err != nil {
				t.Errorf("the second attempt: %v", err)
			}
		})
	}
}
