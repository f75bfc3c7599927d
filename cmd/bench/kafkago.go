package main

import (
	"context"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/spf13/cobra"
)

// kafkaGoCommand is reference A: kafka-go's Writer, without idempotence.
func kafkaGoCommand() *cobra.Command {
	var t task
	cmd := &cobra.Command{Use: "kafka-go", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return t.kafkaGo(cmd.Context())
	}}
	t.flags(cmd)
	return cmd
}

func (t *task) kafkaGo(ctx context.Context) error {
	const chunk = 10_000 // messages per call, which waits for their acknowledgement
	w := &kafka.Writer{
		Addr: kafka.TCP(strings.Split(t.brokers, ",")...), Topic: t.topic, Balancer: kafka.Murmur2Balancer{},
		RequiredAcks: kafka.RequireAll, Compression: kafka.Snappy, BatchSize: chunk, BatchBytes: 1_000_000, BatchTimeout: 10 * time.Millisecond,
	}
	defer func() { _ = w.Close() }() // every write waited for its acknowledgement
	messages := make([]kafka.Message, 0, chunk)
	err := t.export(func(key, value []byte) error {
		messages = append(messages, kafka.Message{Key: key, Value: value})
		if len(messages) < chunk {
			return nil
		}
		err := w.WriteMessages(ctx, messages...)
		messages = messages[:0]
		return err
	})
	if err != nil {
		return err
	}
	return w.WriteMessages(ctx, messages...)
}
