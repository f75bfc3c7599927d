package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dfinery-kafka/pipeline/cluster"
)

// retention is the retention of fingerprints in the rows topic: the API's reach and a margin.
const retention = 35 * 24 * time.Hour

// CompactionLag is how long records of the state topic are protected from compaction. It
// protects above all the markers that fence former owners: a broker that rebuilds its producer
// state from a log without them accepts a former owner's records. An owner does not write if
// its last renewal is older than half of this.
const CompactionLag = 24 * time.Hour

// leastBatch is the minimum max.message.bytes for the ledger: twice the size of a record of
// fingerprints. With it a checkpoint fits into one batch.
const leastBatch = 512 << 10

// Specs returns the ledger's topics as they are created.
func (l *Ledger) Specs(partitions, replicationFactor int) []cluster.TopicSpec {
	return []cluster.TopicSpec{
		{Name: l.Topic, Partitions: partitions, ReplicationFactor: replicationFactor, Configs: map[string]string{
			cluster.ConfigCleanupPolicy: "compact", cluster.ConfigRetentionBytes: "-1",
			// The active segment is never compacted: small segments reduce what a start must read.
			cluster.ConfigSegmentBytes: fmt.Sprint(16 << 20), "segment.ms": cluster.Milliseconds(6 * time.Hour), "min.cleanable.dirty.ratio": "0.1",
			cluster.ConfigMinCompactionLag: cluster.Milliseconds(CompactionLag)}},
		{Name: l.Rows, Partitions: partitions, ReplicationFactor: replicationFactor, Configs: map[string]string{
			cluster.ConfigCleanupPolicy: "delete", cluster.ConfigRetentionBytes: "-1", cluster.ConfigRetention: cluster.Milliseconds(retention)}},
	}
}

const user = "the ledger" // of the topics, in errors

// CheckPolicies returns the faults in the configuration of the ledger's topics. A topic whose
// configuration may not be read is skipped.
func (l *Ledger) CheckPolicies(ctx context.Context) ([]error, error) {
	configs, err := l.Cluster.TopicConfigs(ctx, l.Topic, l.Rows)
	if err != nil {
		return nil, err
	}
	var faults []error
	wrong := func(topic, config, have, want, set string) {
		faults = append(faults, &cluster.ConfigError{Topic: topic, Config: config, Have: have, Want: want, User: user, Repair: l.Cluster.AlterConfigCommand(topic, config, set)})
	}
	for _, c := range configs {
		if c.Err == nil && c.MaxMessageBytes > 0 && c.MaxMessageBytes < leastBatch {
			wrong(c.Name, cluster.ConfigMaxMessageBytes, fmt.Sprint(c.MaxMessageBytes), fmt.Sprintf("%d at least", leastBatch), fmt.Sprint(leastBatch))
		}
	}
	if c := configs[0]; c.Err == nil && c.CleanupPolicy != "compact" {
		wrong(l.Topic, cluster.ConfigCleanupPolicy, c.CleanupPolicy, "compact alone", "compact")
	}
	c := configs[1]
	if c.Err != nil {
		return faults, nil
	}
	if strings.Contains(c.CleanupPolicy, "compact") {
		wrong(l.Rows, cluster.ConfigCleanupPolicy, c.CleanupPolicy, "delete", "delete")
	}
	if c.RetentionBytes >= 0 {
		wrong(l.Rows, cluster.ConfigRetentionBytes, fmt.Sprint(c.RetentionBytes), "-1 (no limit)", "-1")
	}
	if c.RetentionMs >= 0 && c.RetentionMs < retention.Milliseconds() {
		wrong(l.Rows, cluster.ConfigRetention, fmt.Sprint(c.RetentionMs), fmt.Sprintf("35 days (%d) or -1", retention.Milliseconds()), cluster.Milliseconds(retention))
	}
	return faults, nil
}

// CheckCompactionLag returns an error if compaction of the state topic may remove markers that
// are still needed; nil if not, or if the topic's configuration may not be read.
func (l *Ledger) CheckCompactionLag(ctx context.Context) (*cluster.ConfigError, error) {
	configs, err := l.Cluster.TopicConfigs(ctx, l.Topic)
	if err != nil {
		return nil, err
	}
	want, c := CompactionLag.Milliseconds(), configs[0]
	have, _ := strconv.ParseInt(c.Values[cluster.ConfigMinCompactionLag], 10, 64)
	if c.Err != nil || have >= want {
		return nil, nil
	}
	return &cluster.ConfigError{
		Topic: l.Topic, Config: cluster.ConfigMinCompactionLag, Have: fmt.Sprint(have), Want: fmt.Sprintf("%d (24 hours) at least", want), User: user,
		Repair: l.Cluster.AlterConfigCommand(l.Topic, cluster.ConfigMinCompactionLag, c.CompactionLagValue(CompactionLag, CompactionLag)),
	}, nil
}

// SetCompactionLag configures the state topic so that compaction keeps markers long enough.
func (l *Ledger) SetCompactionLag(ctx context.Context) error {
	return l.Cluster.SetTopicConfig(ctx, l.Topic, cluster.ConfigMinCompactionLag, cluster.Milliseconds(CompactionLag))
}
