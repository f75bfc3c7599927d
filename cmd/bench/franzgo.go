package main

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"
)

// franzGoCommand is reference B: franz-go's producer, idempotent as it is by default.
func franzGoCommand() *cobra.Command {
	var t task
	cmd := &cobra.Command{Use: "franz-go", Hidden: true, Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error {
		return t.franzGo(cmd.Context())
	}}
	t.flags(cmd)
	return cmd
}

func (t *task) franzGo(ctx context.Context) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(t.brokers, ",")...), kgo.DefaultProduceTopic(t.topic),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(kgo.SnappyCompression()))
	if err != nil {
		return err
	}
	defer client.Close()
	var failed atomic.Pointer[error]
	failure := func() error {
		if err := failed.Load(); err != nil {
			return *err
		}
		return nil
	}
	err = t.export(func(key, value []byte) error {
		client.Produce(ctx, &kgo.Record{Key: key, Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.Store(&err)
			}
		})
		return failure()
	})
	if err != nil {
		return err
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	return failure()
}
