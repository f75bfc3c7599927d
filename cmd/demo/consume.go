package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster/clustertest"
)

// Message is a consumed record.
type Message struct {
	Partition  int32
	Offset     int64
	Key, Value []byte
	Headers    map[string]string
}

// Day returns the day in the record's header "export": SERVICE/STREAM/DAY/N.
func (m Message) Day() string {
	if parts := strings.Split(m.Headers["export"], "/"); len(parts) == 4 {
		return parts[2]
	}
	return ""
}

func (m Message) String() string {
	return fmt.Sprintf("partition %d, offset %d", m.Partition, m.Offset)
}

// consume reads a topic from its start to its current end, with a client that shares no
// code with the connector.
func consume(ctx context.Context, brokers []string, topic string) ([]Message, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var all []Message
	err = clustertest.ReadTopic(ctx, client, topic, nil, func(r *kgo.Record) error {
		all = append(all, messageOf(r))
		return nil
	})
	return all, err
}

func messageOf(r *kgo.Record) Message {
	m := Message{Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value, Headers: map[string]string{}}
	for _, h := range r.Headers {
		m.Headers[h.Key] = string(h.Value)
	}
	return m
}
