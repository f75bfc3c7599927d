package cluster

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/listoffsets"

	"dfinery-kafka/pipeline/recordbatch"
)

// LogRange is the offset range of a partition's log: [Start, End). It may contain unused offsets.
type LogRange struct {
	Partition recordbatch.TopicPartition
	Start     int64 // the first offset not yet deleted; from OffsetsSince, of the first record since then
	End       int64 // the high watermark, which includes open transactions
	Err       error // why Start and End are unknown; see Retriable and Missing
}

// Offsets returns the offset ranges of partitions, in the order of partitions. It makes one
// request per leader and end, however many partitions there are.
func (c *Cluster) Offsets(ctx context.Context, partitions ...recordbatch.TopicPartition) ([]LogRange, error) {
	return c.OffsetsSince(ctx, time.Time{}, partitions...)
}

// OffsetsSince is like Offsets, but starts at the first record whose Time is since or later.
// The zero time means the whole log.
func (c *Cluster) OffsetsSince(ctx context.Context, since time.Time, partitions ...recordbatch.TopicPartition) ([]LogRange, error) {
	ranges := make([]LogRange, len(partitions))
	var names []string
	for i, p := range partitions {
		ranges[i].Partition = p
		if !slices.Contains(names, p.Topic) {
			names = append(names, p.Topic)
		}
	}
	topics, err := c.Topics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("list offsets: %w", err)
	}
	led := map[int32][]*LogRange{} // by leader
	for i := range ranges {
		leader, err := leaderOf(topics, partitions[i])
		if ranges[i].Err = err; err == nil {
			led[leader] = append(led[leader], &ranges[i])
		}
	}
	var leaders sync.WaitGroup
	for leader, ranges := range led {
		leaders.Go(func() {
			c.listOffsets(ctx, leader, kafka.FirstOffset, ranges, func(r *LogRange, offset int64) { r.Start = offset })
			c.listOffsets(ctx, leader, kafka.LastOffset, ranges, func(r *LogRange, offset int64) { r.End = offset })
			if !since.IsZero() {
				c.listOffsets(ctx, leader, since.UnixMilli(), ranges, (*LogRange).startAt)
			}
		})
	}
	leaders.Wait()
	return ranges, nil
}

// startAt sets Start from the broker's answer for a time: -1 if no record is that late.
func (r *LogRange) startAt(offset int64) {
	if offset < 0 {
		offset = r.End
	}
	r.Start = min(offset, r.End)
}

// Log returns the offset range of one partition.
func (c *Cluster) Log(ctx context.Context, p recordbatch.TopicPartition) (LogRange, error) {
	ranges, err := c.Offsets(ctx, p)
	if err != nil {
		return LogRange{}, err
	}
	return ranges[0], ranges[0].Err
}

func leaderOf(topics []Topic, p recordbatch.TopicPartition) (int32, error) {
	i := slices.IndexFunc(topics, func(t Topic) bool { return t.Name == p.Topic })
	if err := topics[i].Err; err != nil {
		return -1, fmt.Errorf("%v: %w", p, err)
	}
	if p.Partition < 0 || p.Partition >= len(topics[i].Partitions) {
		return -1, fmt.Errorf("%v: %w", p, NewBrokerError(int16(kafka.UnknownTopicOrPartition), ""))
	}
	partition := topics[i].Partitions[p.Partition]
	if partition.Leader < 0 {
		return -1, fmt.Errorf("%v: %w", p, protocol.ErrNoLeader)
	}
	return partition.Leader, nil
}

// listOffsets requests the offsets at a time in Unix milliseconds, or kafka-go's constants for
// the first and the last offset. It owns ranges until it returns.
func (c *Cluster) listOffsets(ctx context.Context, leader int32, at int64, ranges []*LogRange, set func(*LogRange, int64)) {
	req := &listoffsets.Request{ReplicaID: -1}
	for _, r := range ranges {
		i := slices.IndexFunc(req.Topics, func(t listoffsets.RequestTopic) bool { return t.Topic == r.Partition.Topic })
		if i < 0 {
			i, req.Topics = len(req.Topics), append(req.Topics, listoffsets.RequestTopic{Topic: r.Partition.Topic})
		}
		req.Topics[i].Partitions = append(req.Topics[i].Partitions,
			listoffsets.RequestPartition{Partition: int32(r.Partition.Partition), CurrentLeaderEpoch: -1, Timestamp: at})
	}
	res, err := c.send(ctx, leader, req)
	if err != nil {
		for _, r := range ranges {
			r.Err = fmt.Errorf("list offsets of %v: %w", r.Partition, err)
		}
		return
	}
	answers := map[recordbatch.TopicPartition]listoffsets.ResponsePartition{}
	for _, topic := range res.(*listoffsets.Response).Topics {
		for _, p := range topic.Partitions {
			answers[recordbatch.TopicPartition{Topic: topic.Topic, Partition: int(p.Partition)}] = p
		}
	}
	for _, r := range ranges {
		p, ok := answers[r.Partition]
		switch {
		case !ok:
			r.Err = fmt.Errorf("list offsets of %v: the answer does not contain it", r.Partition)
		case p.ErrorCode != 0:
			r.Err = fmt.Errorf("list offsets of %v: %w", r.Partition, NewBrokerError(p.ErrorCode, ""))
		default:
			set(r, p.Offset)
		}
	}
}
