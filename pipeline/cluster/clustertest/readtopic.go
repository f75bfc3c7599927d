package clustertest

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// ReadTopic visits the records of a topic, without markers, to the present end of each
// partition. The client shares no code with the connector; it consumes no topic yet, and has
// the option kgo.KeepControlRecords, because the last record may be a marker. The offsets at
// which partitions begin are taken from a map and moved to the ends; nil: all begin at 0.
func ReadTopic(ctx context.Context, client *kgo.Client, topic string, from map[int32]int64, visit func(*kgo.Record) error) error {
	ends, err := kadm.NewClient(client).ListEndOffsets(ctx, topic)
	if err := errors.Join(err, ends.Error()); err != nil { // an error of one partition, too
		return fmt.Errorf("read %s: %w", topic, err)
	}
	left, start := map[int32]int64{}, map[int32]kgo.Offset{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > from[o.Partition] {
			left[o.Partition], start[o.Partition] = o.Offset, kgo.NewOffset().At(from[o.Partition])
		}
	})
	if from != nil {
		maps.Copy(from, left)
	}
	client.AddConsumePartitions(map[string]map[int32]kgo.Offset{topic: start})
	for len(left) > 0 {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			return fmt.Errorf("read %s: %w; partitions that are not read to their ends: %v", topic, err, left)
		}
		for records := fetched.RecordIter(); !records.Done(); {
			r := records.Next()
			end, wanted := left[r.Partition]
			if r.Offset+1 >= end {
				delete(left, r.Partition)
			}
			if !wanted || r.Offset >= end || r.Attrs.IsControl() {
				continue
			}
			if err := visit(r); err != nil {
				return err
			}
		}
	}
	return nil
}
