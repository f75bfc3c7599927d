package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
)

// Give writes a command for the service's owner to carry out, now or when there is one, and sets its Offset. It is written without a
// fence: anybody may command who may write the ledger.
func (b *Books) Give(ctx context.Context, c *Command) error {
	at, err := b.partition(ctx)
	if err != nil {
		return fmt.Errorf("give a command: %w", err)
	}
	value, err := encode(c)
	if err != nil {
		return fmt.Errorf("give a command: %w", err)
	}
	answer, err := b.Cluster.Client().Produce(ctx, &kafka.ProduceRequest{
		Topic: at.Topic, Partition: at.Partition, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte("command/" + c.ID)), Value: kafka.NewBytes(value)}),
	})
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		return fmt.Errorf("give a command: write it to %v: %w", at, err)
	}
	c.Offset = answer.BaseOffset
	return nil
}

// partition is the one of the state topic that holds the service's records.
func (b *Books) partition(ctx context.Context) (cluster.TopicPartition, error) {
	topic, err := b.Cluster.Topic(ctx, b.Topic)
	switch {
	case cluster.Missing(err):
		return cluster.TopicPartition{}, fmt.Errorf("topic %s: %w; has the connector run yet, and is LEDGER_TOPIC right?", b.Topic, err)
	case err != nil:
		return cluster.TopicPartition{}, fmt.Errorf("topic %s: %w", b.Topic, err)
	}
	return cluster.TopicPartition{Topic: b.Topic, Partition: cluster.PartitionOf([]byte(b.Service), len(topic.Partitions))}, nil
}

// Watch calls seen with the command that was given each time its record changes, until seen returns false or ctx ends. It reads from
// the command on: what the ledger has of former ones may be large.
func (b *Books) Watch(ctx context.Context, given *Command, every time.Duration, seen func(*Command) bool) error {
	at, err := b.partition(ctx)
	if err != nil {
		return err
	}
	state := &State{Days: map[DayName]*Day{}, Commands: map[string]*Command{}, Partition: at.Partition, End: given.Offset}
	var last *Command
	for {
		log, err := b.Cluster.Log(ctx, at)
		if err == nil {
			err = b.Follow(ctx, state, at.Partition, max(state.End, log.Start), log.End)
		}
		if err != nil {
			return fmt.Errorf("watch the command: %w", err)
		}
		state.End = log.End
		if c := state.Commands[given.ID]; c != nil && c != last {
			if last = c; !seen(c) {
				return nil
			}
		}
		select {
		case <-time.After(every):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
