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

const compactionLag = "min.compaction.lag.ms"

// leastBatch is the minimum max.message.bytes for the ledger: twice the size of a record of
// fingerprints. With it a checkpoint fits into one batch.
const leastBatch = 512 << 10

// Specs returns the ledger's topics as they are created.
func (l *Ledger) Specs(partitions, replicationFactor int) []cluster.TopicSpec {
	return []cluster.TopicSpec{
		{Name: l.Topic, Partitions: partitions, ReplicationFactor: replicationFactor, Configs: map[string]string{
			"cleanup.policy": "compact", "retention.bytes": "-1",
			// The active segment is never compacted: small segments reduce what a start must read.
			"segment.bytes": fmt.Sprint(16 << 20), "segment.ms": fmt.Sprint((6 * time.Hour).Milliseconds()), "min.cleanable.dirty.ratio": "0.1",
			compactionLag: fmt.Sprint(CompactionLag.Milliseconds())}},
		{Name: l.Rows, Partitions: partitions, ReplicationFactor: replicationFactor, Configs: map[string]string{
			"cleanup.policy": "delete", "retention.bytes": "-1", "retention.ms": fmt.Sprint(retention.Milliseconds())}},
	}
}

// PolicyError reports a ledger topic whose configuration would delete required records, or
// refuse records.
type PolicyError struct {
	Topic, Config, Have, Want, Repair string
}

func (e *PolicyError) Error() string {
	return fmt.Sprintf("topic %s has %s=%s, the ledger needs %s; repair it with: %s", e.Topic, e.Config, e.Have, e.Want, e.Repair)
}

// CheckPolicies returns the faults in the configuration of the ledger's topics. A topic whose
// configuration may not be read is skipped.
func (l *Ledger) CheckPolicies(ctx context.Context) ([]error, error) {
	configs, err := l.Cluster.TopicConfigs(ctx, l.Topic, l.Rows)
	if err != nil {
		return nil, err
	}
	var faults []error
	wrong := func(topic, config, have, want, set string) {
		faults = append(faults, &PolicyError{Topic: topic, Config: config, Have: have, Want: want, Repair: l.Cluster.AlterConfigCommand(topic, config, set)})
	}
	for _, c := range configs {
		if c.Err == nil && c.MaxMessageBytes > 0 && c.MaxMessageBytes < leastBatch {
			wrong(c.Name, "max.message.bytes", fmt.Sprint(c.MaxMessageBytes), fmt.Sprintf("%d at least", leastBatch), fmt.Sprint(leastBatch))
		}
	}
	if c := configs[0]; c.Err == nil && c.CleanupPolicy != "compact" {
		wrong(l.Topic, "cleanup.policy", c.CleanupPolicy, "compact alone", "compact")
	}
	c := configs[1]
	if c.Err != nil {
		return faults, nil
	}
	if strings.Contains(c.CleanupPolicy, "compact") {
		wrong(l.Rows, "cleanup.policy", c.CleanupPolicy, "delete", "delete")
	}
	if c.RetentionBytes >= 0 {
		wrong(l.Rows, "retention.bytes", fmt.Sprint(c.RetentionBytes), "-1 (no limit)", "-1")
	}
	if c.RetentionMs >= 0 && c.RetentionMs < retention.Milliseconds() {
		wrong(l.Rows, "retention.ms", fmt.Sprint(c.RetentionMs), fmt.Sprintf("35 days (%d) or -1", retention.Milliseconds()), fmt.Sprint(retention.Milliseconds()))
	}
	return faults, nil
}

// CheckCompactionLag returns an error if compaction of the state topic may remove markers that
// are still needed; nil if not, or if the topic's configuration may not be read.
func (l *Ledger) CheckCompactionLag(ctx context.Context) (*PolicyError, error) {
	configs, err := l.Cluster.TopicConfigs(ctx, l.Topic)
	if err != nil {
		return nil, err
	}
	want, c := CompactionLag.Milliseconds(), configs[0]
	have, _ := strconv.ParseInt(c.Values[compactionLag], 10, 64)
	if c.Err != nil || have >= want {
		return nil, nil
	}
	set := fmt.Sprint(want)
	if most, err := strconv.ParseInt(c.Values["max.compaction.lag.ms"], 10, 64); err == nil && most < want {
		set += fmt.Sprintf(",max.compaction.lag.ms=%d", want) // brokers refuse a lower one
	}
	return &PolicyError{
		Topic: l.Topic, Config: compactionLag, Have: fmt.Sprint(have), Want: fmt.Sprintf("%d (24 hours) at least", want),
		Repair: l.Cluster.AlterConfigCommand(l.Topic, compactionLag, set),
	}, nil
}

// SetCompactionLag configures the state topic so that compaction keeps markers long enough.
func (l *Ledger) SetCompactionLag(ctx context.Context) error {
	return l.Cluster.SetTopicConfig(ctx, l.Topic, compactionLag, fmt.Sprint(CompactionLag.Milliseconds()))
}
