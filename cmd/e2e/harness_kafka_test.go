package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

// query reads from the cluster.
func (b *testbed) query(do func(context.Context, *kadm.Client) error) {
	b.t.Helper()
	b.withClient(func(ctx context.Context, client *kgo.Client) error { return do(ctx, kadm.NewClient(client)) })
}

// administer changes the cluster, and returns when every broker applies the change.
func (b *testbed) administer(do func(context.Context, *kadm.Client) error) {
	b.t.Helper()
	b.withClient(func(ctx context.Context, client *kgo.Client) error {
		if err := do(ctx, kadm.NewClient(client)); err != nil {
			return err
		}
		return awaitBrokers(ctx, client)
	})
}

func (b *testbed) withClient(do func(context.Context, *kgo.Client) error, options ...kgo.Opt) {
	b.t.Helper()
	if err := b.tryClient(do, options...); err != nil {
		b.t.Fatal(err)
	}
}

// tryClient connects as the test's user, also in cleanups.
func (b *testbed) tryClient(do func(context.Context, *kgo.Client) error, options ...kgo.Opt) error {
	client, err := kgo.NewClient(slices.Concat([]kgo.Opt{kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.DisableClientMetrics()}, b.admins, options)...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.t.Context()), time.Minute)
	defer cancel()
	return do(ctx, client)
}

// awaitBrokers waits until every broker applies all changes that the controller has accepted.
// Brokers receive changes in order but with a delay, on a busy machine of seconds: a broker
// that shows a quota that was set after them has received them. Two rounds are needed, since a
// broker shows a change before all of its parts apply it, but only then shows the next one.
func awaitBrokers(ctx context.Context, client *kgo.Client) error {
	kind, name, key := "client-id", fmt.Sprintf("mark-%08x", rand.Uint32()), "producer_byte_rate"
	set := func(op kadm.AlterClientQuotaOp) error {
		op.Key = key
		answers, err := kadm.NewClient(client).AlterClientQuotas(ctx, []kadm.AlterClientQuotaEntry{{
			Entity: kadm.ClientQuotaEntity{{Type: kind, Name: &name}}, Ops: []kadm.AlterClientQuotaOp{op},
		}})
		if err == nil {
			err = answers[0].Err
		}
		return err
	}
	brokers, err := kadm.NewClient(client).ListBrokers(ctx)
	if err != nil {
		return fmt.Errorf("list the brokers to wait for: %w", err)
	}
	question := kmsg.NewPtrDescribeClientQuotasRequest()
	question.Strict = true
	question.Components = []kmsg.DescribeClientQuotasRequestComponent{{EntityType: kind, Match: &name}}
	for round := range 2 {
		mark := float64(round + 1)
		if err := set(kadm.AlterClientQuotaOp{Value: mark}); err != nil {
			return err
		}
		for _, broker := range brokers {
			for shown := false; !shown; time.Sleep(5 * time.Millisecond) {
				answer, err := client.Broker(int(broker.NodeID)).RetriableRequest(ctx, question)
				if err != nil {
					return fmt.Errorf("broker %d does not show the change: %w", broker.NodeID, err)
				}
				entries := answer.(*kmsg.DescribeClientQuotasResponse).Entries
				shown = len(entries) == 1 && entries[0].Values[0].Value == mark
			}
		}
	}
	return set(kadm.AlterClientQuotaOp{Remove: true})
}

// put writes records with another client, each to its partition.
func (b *testbed) put(topic string, records ...*kgo.Record) {
	b.t.Helper()
	for _, r := range records {
		r.Topic = b.prefix + topic
	}
	b.withClient(func(ctx context.Context, client *kgo.Client) error {
		return client.ProduceSync(ctx, records...).FirstErr()
	},
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
}

func (b *testbed) createTopic(topic string, partitions int32, config map[string]string) {
	b.t.Helper()
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		return createTopic(ctx, c, b.prefix+topic, partitions, config)
	})
}

func createTopic(ctx context.Context, c *kadm.Client, topic string, partitions int32, config map[string]string) error {
	set := map[string]*string{}
	for name, value := range config {
		set[name] = &value
	}
	answer, err := c.CreateTopic(ctx, partitions, -1, set, topic)
	return errors.Join(err, answer.Err)
}

func (b *testbed) deleteTopics(names ...string) {
	b.t.Helper()
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		for _, name := range names {
			answer, err := c.DeleteTopic(ctx, b.prefix+name)
			if err := errors.Join(err, answer.Err); err != nil {
				return err
			}
		}
		return nil
	})
}

// deleteAllTopics deletes the topics of a test. With thousands of topics a broker becomes slow
// and runs out of memory.
func (b *testbed) deleteAllTopics() {
	err := b.tryClient(func(ctx context.Context, client *kgo.Client) error {
		c := kadm.NewClient(client)
		topics, err := c.ListTopics(ctx)
		if err != nil {
			return err
		}
		mine := slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, b.prefix) })
		if len(mine) == 0 {
			return nil
		}
		_, err = c.DeleteTopics(ctx, mine...)
		return err
	})
	if err != nil {
		b.t.Logf("delete the topics %s*: %v", b.prefix, err)
	}
}

// recreateTopic deletes a topic and creates another one of its name.
func (b *testbed) recreateTopic(topic string, partitions int32, config map[string]string) {
	b.t.Helper()
	b.deleteTopics(topic)
	b.createTopic(topic, partitions, config)
}

// setTopicConfig sets one configuration of a topic.
func (b *testbed) setTopicConfig(topic, name, value string) {
	b.t.Helper()
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		return setTopicConfig(ctx, c, b.prefix+topic, name, value)
	})
}

func setTopicConfig(ctx context.Context, c *kadm.Client, topic, name, value string) error {
	answers, err := c.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, topic)
	if err == nil {
		err = answers[0].Err
	}
	return err
}

// growTopic adds partitions to a topic.
func (b *testbed) growTopic(topic string, partitions int) {
	b.t.Helper()
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		answers, err := c.UpdatePartitions(ctx, partitions, b.prefix+topic)
		if err == nil {
			err = answers.Error()
		}
		return err
	})
}

// endOffsets returns the end offsets of a topic's partitions.
func (b *testbed) endOffsets(topic string) kadm.ListedOffsets {
	b.t.Helper()
	var ends kadm.ListedOffsets
	b.query(func(ctx context.Context, c *kadm.Client) (err error) {
		ends, err = c.ListEndOffsets(ctx, b.prefix+topic)
		return errors.Join(err, ends.Error())
	})
	return ends
}

// recordsIn returns the sum of a topic's end offsets, which includes markers.
func (b *testbed) recordsIn(topic string) (sum int64) {
	b.t.Helper()
	b.endOffsets(topic).Each(func(o kadm.ListedOffset) { sum += o.Offset })
	return sum
}

// deleteRecords deletes the records before the given offsets, as retention does.
func (b *testbed) deleteRecords(before kadm.Offsets) {
	b.t.Helper()
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		answers, err := c.DeleteRecords(ctx, before)
		if err == nil {
			err = answers.Error()
		}
		return err
	})
}

// TestKafka_BrokersShowChanges changes topics and checks, after awaitBrokers, that every broker
// shows the change.
func TestKafka_BrokersShowChanges(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{})
	topic := b.prefix + "grows"
	b.createTopic("grows", 1, nil)
	for n := 2; n < 12; n++ {
		b.growTopic("grows", n)
		b.withClient(func(ctx context.Context, client *kgo.Client) error {
			if err := client.Ping(ctx); err != nil {
				return err
			}
			for _, broker := range client.DiscoveredBrokers() {
				question := kmsg.NewPtrMetadataRequest()
				question.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
				answer, err := broker.RetriableRequest(ctx, question)
				if err != nil {
					return err
				}
				if got := len(answer.(*kmsg.MetadataResponse).Topics[0].Partitions); got != n {
					t.Errorf("%d partitions, want %d", got, n)
				}
			}
			return nil
		})
	}
}
