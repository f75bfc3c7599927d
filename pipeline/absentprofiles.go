package pipeline

import (
	"context"
	"fmt"
	"slices"

	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
)

// AbsentProfiles returns the status of a stream's profiles from the ledger, and up to
// limit keys that are absent from its last snapshot; for these it reads the stream's
// topic. The status is nil for a stream that publishes all rows.
func (r *Reader) AbsentProfiles(ctx context.Context, stream string, limit int) (*ProfileStatus, []string, error) {
	snapshot, err := r.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	i := slices.IndexFunc(snapshot.Streams, func(one StreamStatus) bool { return one.Name == stream })
	if i < 0 || snapshot.Streams[i].Profiles == nil {
		return nil, nil, nil
	}
	status := snapshot.Streams[i].Profiles
	if limit == 0 || len(status.Sample) == 0 {
		return status, nil, nil
	}
	keys, err := r.keysOf(ctx, snapshot.Streams[i].Topic, status, limit)
	return status, keys, err
}

// keysOf returns the sampled keys that the topic still has, in order.
func (r *Reader) keysOf(ctx context.Context, topic string, status *ProfileStatus, limit int) ([]string, error) {
	described, err := r.config.Cluster.Topic(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("read the topic of the stream: %w", err)
	}
	logs, err := r.config.Cluster.Offsets(ctx, described.TopicPartitions()...)
	if err != nil {
		return nil, fmt.Errorf("read the topic of the stream: %w", err)
	}
	wanted := status.Sample[:min(limit, len(status.Sample))]
	found := map[string]bool{} // whether the key is in the topic
	for _, log := range logs {
		if log.Err != nil {
			return nil, fmt.Errorf("read the topic of the stream: %w", log.Err)
		}
		err := r.config.Cluster.Read(ctx, log.Partition, log.Start, log.End, recordbatch.Visitor{Record: func(record *recordbatch.Record) error {
			if slices.Contains(wanted, profiles.HashKey(status.Seed, record.Key).String()) {
				found[string(record.Key)] = record.Value != nil
			}
			return nil
		}})
		if err != nil {
			return nil, fmt.Errorf("read the topic of the stream: %w", err)
		}
	}
	var keys []string
	for key, in := range found {
		if in {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}
