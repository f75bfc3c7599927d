package e2e

import (
	"context"
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/schema"
)

// TestTopics_UncleanElection kills the follower of a topic, publishes rows that only the leader
// has, kills the leader and starts the follower, which becomes leader without these rows. The
// loss is reported; rows that the follower has are neither published again nor counted twice.
func TestTopics_UncleanElection(t *testing.T) {
	if os.Getenv("KAFKA_TEST_DIR") == "" {
		t.Skip("needs the directory of a deploy/kafka-up.sh of three nodes in KAFKA_TEST_DIR")
	}
	for topic, says := range map[string]string{"events": lostRows, "dead-letters": lostLetters} {
		t.Run(topic, func(t *testing.T) {
			b, rows := newGrowingService(t, crashSeed(t))
			b.set("STANDBY_AFTER", "10m", "OWNER_HEARTBEAT", "1s")
			b.pollEvery("300ms")
			b.createUnclean(topic, 3, 1, 2)
			p := b.start("run")
			p.awaitMore(exported, 3)
			grow := func() { rows.Add(50); p.awaitMore(exported, p.count(exported)+3) }
			grow()
			b.killBroker(2)
			b.awaitLeaders(topic)
			had := b.recordsIn(topic)
			grow()
			grow()
			if now := b.recordsIn(topic); now <= had {
				t.Fatalf("no records were published without the follower: %d records", now)
			}
			b.killBroker(1)
			b.startBroker(2)
			b.awaitLeaders(topic)
			b.startBroker(1) // it truncates its log to that of the new leader
			b.awaitInSync()
			p.await(says)
			before := b.served(schema.Event)
			grow()
			p.kill()
			rows.Add(100)
			calls := len(b.api.Calls())
			b.await("one more export", func() bool { b.runOnce(0); return len(b.api.Calls()) > calls })
			b.expectOnce(topic)
			b.checkedDays()
			if topic == "events" {
				b.expectPublished(minus(b.served(schema.Event), before))
			} else {
				b.compareEvents()
				b.checkLedger()
			}
		})
	}
}

// createUnclean creates a topic with unclean leader election and min.insync.replicas=1.
func (b *testbed) createUnclean(topic string, partitions int32, replicas ...int32) {
	b.t.Helper()
	b.withClient(func(ctx context.Context, client *kgo.Client) error {
		yes, one := "true", "1"
		asked := kmsg.NewCreateTopicsRequestTopic()
		asked.Topic, asked.NumPartitions, asked.ReplicationFactor = b.prefix+topic, -1, -1
		for p := range partitions {
			asked.ReplicaAssignment = append(asked.ReplicaAssignment, kmsg.CreateTopicsRequestTopicReplicaAssignment{Partition: p, Replicas: replicas})
		}
		asked.Configs = []kmsg.CreateTopicsRequestTopicConfig{
			{Name: "unclean.leader.election.enable", Value: &yes}, {Name: "min.insync.replicas", Value: &one}}
		request := kmsg.NewPtrCreateTopicsRequest()
		request.Topics, request.TimeoutMillis = []kmsg.CreateTopicsRequestTopic{asked}, 10_000
		answer, err := request.RequestWith(ctx, client)
		if err == nil {
			err = kerr.ErrorForCode(answer.Topics[0].ErrorCode)
		}
		return err
	})
	b.administer(func(ctx context.Context, c *kadm.Client) error { return nil })
}
