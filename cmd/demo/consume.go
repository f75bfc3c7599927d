package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Message is a record as its consumer sees it.
type Message struct {
	Partition  int32
	Offset     int64
	Key, Value []byte
	Headers    map[string]string
}

// Day is the day that the record's header "export" names: SERVICE/STREAM/DAY/N.
func (m Message) Day() string {
	if parts := strings.Split(m.Headers["export"], "/"); len(parts) == 4 {
		return parts[2]
	}
	return ""
}

func (m Message) String() string {
	return fmt.Sprintf("partition %d, offset %d", m.Partition, m.Offset)
}

// consume reads a topic from its start to the end that it has now, with a client that shares no code with the connector.
func consume(ctx context.Context, brokers []string, topic string) ([]Message, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(100*time.Millisecond),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", topic, err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	var all []Message
	for len(left) > 0 {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %w", topic, err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			end, wanted := left[r.Partition]
			if r.Offset+1 >= end {
				delete(left, r.Partition)
			}
			if wanted && !r.Attrs.IsControl() {
				all = append(all, messageOf(r))
			}
		})
	}
	return all, nil
}

func messageOf(r *kgo.Record) Message {
	m := Message{Partition: r.Partition, Offset: r.Offset, Key: r.Key, Value: r.Value, Headers: map[string]string{}}
	for _, h := range r.Headers {
		m.Headers[h.Key] = string(h.Value)
	}
	return m
}
