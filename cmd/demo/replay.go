package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// The topic's maximum record size at first, smaller than one of the rows, and later,
// larger than it.
const (
	smallBatch = 8 << 10
	largeBatch = 1 << 20
)

const maxMessageBytes = "max.message.bytes"

// administer calls f with an admin client of Kafka.
func (s *demoRun) administer(do func(*kadm.Client) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(s.brokers...))
	if err != nil {
		return err
	}
	defer client.Close()
	return do(kadm.NewClient(client))
}

// createTopic creates the stream's topic, which accepts no large records.
func (s *demoRun) createTopic(ctx context.Context) error {
	small := strconv.Itoa(smallBatch)
	return s.administer(func(client *kadm.Client) error {
		_, err := client.CreateTopic(ctx, partitions, -1, map[string]*string{maxMessageBytes: &small}, topic)
		return err
	})
}

func (s *demoRun) raiseLimit(ctx context.Context) error {
	large := strconv.Itoa(largeBatch)
	return s.administer(func(client *kadm.Client) error {
		answers, err := client.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: maxMessageBytes, Value: &large}}, topic)
		for _, answer := range answers {
			err = errors.Join(err, answer.Err)
		}
		return err
	})
}

// replay publishes the row that was too large for the topic.
func (s *demoRun) replay(ctx context.Context) error {
	s.headline("A dead letter is replayed")
	letters, err := consume(ctx, s.brokers, string(s.config.Publish.DeadLetterTopic))
	if err != nil {
		return err
	}
	var named [][2]int64
	for _, m := range letters {
		if m.Headers[headerCode] == string(schema.TooLarge) {
			named = append(named, [2]int64{int64(m.Partition), m.Offset})
		}
	}
	if len(named) != 1 {
		return fmt.Errorf("%d rows were too large, want 1", len(named))
	}
	s.line(plain, "   The row of %s was larger than the %d KiB that the topic took. While the connector was down, an administrator has", s.source.last-cutShort, smallBatch>>10)
	s.line(plain, "   raised max.message.bytes. `dfinery-kafka dlq replay --code too_large` publishes the row from its dead letter:")
	stored := s.connector.Service.Ledger()
	given := &ledger.Command{ID: rand.Text(), Service: stored.Service, Verb: command.VerbReplay, Stream: s.config.Streams[0].Name, Letters: named, Given: time.Now().UTC(), By: "demo"}
	if err := stored.Submit(ctx, given); err != nil {
		return err
	}
	return stored.Watch(ctx, given, 50*time.Millisecond, func(c *ledger.Command) bool {
		if c.Done == nil {
			return true
		}
		if c.Error != "" {
			err = errors.New(c.Error)
			s.line(red, "   %s", c.Error)
		}
		s.line(green, "   %s", c.Result)
		return false
	})
}
