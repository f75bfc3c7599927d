package store

import (
	"context"
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
)

// Submit writes a command for the current or next owner of the service, and sets its Offset. It
// is written without fencing: anyone with the right to write the ledger may submit commands.
func (l *Ledger) Submit(ctx context.Context, c *ledger.Command) error {
	at, err := l.partition(ctx)
	if err != nil {
		return fmt.Errorf("submit a command: %w", err)
	}
	value, err := ledger.Encode(c)
	if err != nil {
		return fmt.Errorf("submit a command: %w", err)
	}
	answer, err := l.Cluster.Client().Produce(ctx, &kafka.ProduceRequest{
		Topic: at.Topic, Partition: at.Partition, RequiredAcks: kafka.RequireAll,
		Records: kafka.NewRecordReader(kafka.Record{Key: kafka.NewBytes([]byte(commandPrefix + c.ID)), Value: kafka.NewBytes(value)}),
	})
	if err == nil {
		err = answer.Error
	}
	if err != nil {
		return fmt.Errorf("submit a command: write it to %v: %w", at, err)
	}
	c.Offset = answer.BaseOffset
	return nil
}

// partition is the partition of the state topic with the service's records.
func (l *Ledger) partition(ctx context.Context) (recordbatch.TopicPartition, error) {
	topic, err := l.Cluster.Topic(ctx, l.Topic)
	switch {
	case cluster.Missing(err):
		return recordbatch.TopicPartition{}, fmt.Errorf("topic %s: %w; has the connector run yet, and is LEDGER_TOPIC right?", l.Topic, err)
	case err != nil:
		return recordbatch.TopicPartition{}, fmt.Errorf("topic %s: %w", l.Topic, err)
	}
	return recordbatch.TopicPartition{Topic: l.Topic, Partition: cluster.PartitionOf([]byte(l.Service), len(topic.Partitions))}, nil
}

// Watch calls seen each time the record of the submitted command changes, until seen returns
// false or ctx ends. It reads only from the command on, as the ledger may have many earlier
// records.
func (l *Ledger) Watch(ctx context.Context, given *ledger.Command, every time.Duration, seen func(*ledger.Command) bool) error {
	at, err := l.partition(ctx)
	if err != nil {
		return err
	}
	for next := given.Offset; ; {
		log, err := l.Cluster.Log(ctx, at)
		var changed []*ledger.Command
		if err == nil {
			changed, err = l.Commands(ctx, at.Partition, max(next, log.Start), log.End)
		}
		if err != nil {
			return fmt.Errorf("watch the command: %w", err)
		}
		next = log.End
		for _, c := range changed {
			if c.ID == given.ID && !seen(c) {
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
