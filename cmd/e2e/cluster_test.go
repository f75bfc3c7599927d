package e2e

import (
	"context"
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

// ask asks the cluster.
func (b *bench) ask(do func(context.Context, *kadm.Client) error) {
	b.t.Helper()
	b.connected(func(ctx context.Context, client *kgo.Client) error { return do(ctx, kadm.NewClient(client)) })
}

// admin does to the cluster what people do, and returns when each broker goes by it.
func (b *bench) admin(do func(context.Context, *kadm.Client) error) {
	b.t.Helper()
	b.connected(func(ctx context.Context, client *kgo.Client) error {
		if err := do(ctx, kadm.NewClient(client)); err != nil {
			return err
		}
		return caughtUp(ctx, client)
	})
}

func (b *bench) connected(do func(context.Context, *kgo.Client) error) {
	b.t.Helper()
	if err := b.connect(do); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) connect(do func(context.Context, *kgo.Client) error) error {
	client, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(strings.Split(b.brokers, ",")...)}, b.admins...)...)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(b.t.Context()), 30*time.Second) // also in cleanups
	defer cancel()
	return do(ctx, client)
}

// caughtUp waits until each broker goes by all that the controller has accepted. A broker hears of it a moment later, on a busy machine
// seconds later, but of everything in order: when it shows a quota that was set now, it knows of what came before. The second one is
// needed because a broker shows what is new before all its parts go by it, but not the next before they do.
func caughtUp(ctx context.Context, client *kgo.Client) error {
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
		return fmt.Errorf("list the brokers that have to catch up: %w", err)
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
					return fmt.Errorf("the broker has not caught up: %w", err)
				}
				entries := answer.(*kmsg.DescribeClientQuotasResponse).Entries
				shown = len(entries) == 1 && entries[0].Values[0].Value == mark
			}
		}
	}
	return set(kadm.AlterClientQuotaOp{Remove: true})
}

func (b *bench) createTopic(topic string, partitions int32, config map[string]string) {
	b.t.Helper()
	b.admin(func(ctx context.Context, c *kadm.Client) error {
		return create(ctx, c, b.prefix+topic, partitions, config)
	})
}

func create(ctx context.Context, c *kadm.Client, topic string, partitions int32, config map[string]string) error {
	set := map[string]*string{}
	for name, value := range config {
		set[name] = &value
	}
	answer, err := c.CreateTopic(ctx, partitions, -1, set, topic)
	if err == nil {
		err = answer.Err
	}
	return err
}

func (b *bench) deleteTopics(names ...string) {
	b.t.Helper()
	b.admin(func(ctx context.Context, c *kadm.Client) error {
		for _, name := range names {
			answer, err := c.DeleteTopic(ctx, b.prefix+name)
			if err == nil {
				err = answer.Err
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// leave deletes the topics of a test: with thousands of them a broker is slow, and then out of memory.
func (b *bench) leave() {
	err := b.connect(func(ctx context.Context, client *kgo.Client) error {
		c := kadm.NewClient(client)
		topics, err := c.ListTopics(ctx)
		if err != nil {
			return err
		}
		mine := slices.DeleteFunc(topics.Names(), func(name string) bool { return !strings.HasPrefix(name, b.prefix) })
		_, err = c.DeleteTopics(ctx, mine...)
		return err
	})
	if err != nil {
		b.t.Logf("the topics of %s stay: %v", b.prefix, err)
	}
}

// makeAnew deletes a topic and creates another one of its name.
func (b *bench) makeAnew(topic string, partitions int32, config map[string]string) {
	b.t.Helper()
	b.deleteTopics(topic)
	b.createTopic(topic, partitions, config)
}

// alter sets one configuration of a topic.
func (b *bench) alter(topic, name, value string) {
	b.t.Helper()
	b.admin(func(ctx context.Context, c *kadm.Client) error { return configure(ctx, c, b.prefix+topic, name, value) })
}

func configure(ctx context.Context, c *kadm.Client, topic, name, value string) error {
	answers, err := c.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: name, Value: &value}}, topic)
	if err == nil {
		err = answers[0].Err
	}
	return err
}

// grow gives a topic more partitions.
func (b *bench) grow(topic string, partitions int) {
	b.t.Helper()
	b.admin(func(ctx context.Context, c *kadm.Client) error {
		answers, err := c.UpdatePartitions(ctx, partitions, b.prefix+topic)
		if err == nil {
			err = answers.Error()
		}
		return err
	})
}

// TestCaughtUp: right after a change each of the brokers shows it.
func TestCaughtUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{})
	topic := b.prefix + "grows"
	b.createTopic("grows", 1, nil)
	for n := 2; n < 12; n++ {
		b.grow("grows", n)
		b.connected(func(ctx context.Context, client *kgo.Client) error {
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
