package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// startKafka starts brokers, unless they are given, and returns a function that stops
// them.
func (b *bench) startKafka(ctx context.Context, progress io.Writer) (stop func(), err error) {
	switch {
	case b.brokers != "":
		b.kafka = "Kafka at " + b.brokers
		return func() {}, nil
	case b.kfake:
		h, err := startHelper(ctx, "broker")
		if err != nil {
			return nil, err
		}
		b.brokers, b.kafka = h.address, "embedded broker"
		return h.stop, nil
	}
	dir := filepath.Join(b.dir, "kafka")
	up := exec.CommandContext(ctx, filepath.Join(b.root, "deploy", "kafka-up.sh"), "1", dir)
	up.Stderr = progress
	up.Env = append(os.Environ(), "KAFKA_PORT="+kafkaPort)
	stop = func() {
		down := exec.Command(filepath.Join(b.root, "deploy", "kafka-down.sh"), dir)
		down.Stderr = progress
		_ = down.Run() // it has printed its error
	}
	out, err := up.Output()
	if err != nil {
		stop()
		return nil, fmt.Errorf("start Kafka (--kfake needs no Java): %w", err)
	}
	b.brokers, b.kafka = strings.TrimSpace(string(out)), "Apache Kafka"
	return stop, nil
}

// kafkaPort differs from the default, which a developer's Kafka may use.
const kafkaPort = "19592"

// withAdmin calls f with a short-lived client: its memory would count as the
// contenders'.
func withAdmin(brokers string, f func(*kadm.Client) error) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(brokers, ",")...))
	if err != nil {
		return err
	}
	defer client.Close()
	return f(kadm.NewClient(client))
}

func createTopic(ctx context.Context, brokers, topic string, partitions int) error {
	return withAdmin(brokers, func(admin *kadm.Client) error {
		res, err := admin.CreateTopic(ctx, int32(partitions), -1, nil, topic)
		if err == nil {
			err = res.Err
		}
		if err != nil {
			return fmt.Errorf("create topic %s: %w", topic, err)
		}
		return nil
	})
}

// deleteTopics deletes the topics with a prefix.
func deleteTopics(ctx context.Context, brokers, prefix string) error {
	return withAdmin(brokers, func(admin *kadm.Client) error {
		all, err := admin.ListTopics(ctx)
		if err != nil {
			return err
		}
		var ours []string
		for _, name := range all.Names() {
			if strings.HasPrefix(name, prefix) {
				ours = append(ours, name)
			}
		}
		if len(ours) == 0 {
			return nil
		}
		_, err = admin.DeleteTopics(ctx, ours...)
		return err
	})
}
