package pipeline

import (
	"fmt"
	"strconv"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/transfer"
)

// A topic that equals the current profiles is compacted. Like those of the ledger, its
// takeover markers fence former owners, so they must be protected from compaction for a
// while. A consumer that was down for a week still sees each tombstone.
const (
	leastCompactionLag  = 12 * time.Hour
	compactionLag       = 24 * time.Hour
	longestCompaction   = 7 * 24 * time.Hour
	leastDeleteRetained = 24 * time.Hour
	deleteRetained      = 7 * 24 * time.Hour
)

// The configurations of such a topic.
const (
	cleanupPolicy    = "cleanup.policy"
	minCompactionLag = "min.compaction.lag.ms"
	maxCompactionLag = "max.compaction.lag.ms"
	deleteRetention  = "delete.retention.ms"
)

// compactedConfigs are the configurations with which such a topic is created.
func compactedConfigs() map[string]string {
	return map[string]string{
		cleanupPolicy:    "compact",
		minCompactionLag: millis(compactionLag),
		maxCompactionLag: millis(longestCompaction),
		deleteRetention:  millis(deleteRetained),
	}
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// CompactionError reports that the topic of a stream with MODE=changes would lose
// profiles, or takeover markers.
type CompactionError struct{ Topic, Config, Have, Want, Repair string }

func (e *CompactionError) Error() string {
	return fmt.Sprintf("topic %s has %s=%s, a stream with MODE=changes needs %s; repair it with: %s", e.Topic, e.Config, e.Have, e.Want, e.Repair)
}

// CompactionFault returns a *CompactionError if a stream with MODE=changes can't use
// its topic; nil if it can, or if the configuration may not be read.
func CompactionFault(k *cluster.Cluster, stream *transfer.Stream, c *cluster.TopicConfig) error {
	if !stream.Changes || c.Err != nil {
		return nil
	}
	lag, unknown := strconv.ParseInt(c.Values[minCompactionLag], 10, 64)
	e := &CompactionError{Topic: c.Name}
	switch {
	case c.CleanupPolicy != "compact":
		e.Config, e.Have, e.Want = cleanupPolicy, c.CleanupPolicy, "compact alone"
	case unknown == nil && lag < leastCompactionLag.Milliseconds():
		e.Config, e.Have, e.Want = minCompactionLag, c.Values[minCompactionLag], fmt.Sprintf("%d (12 hours) at least", leastCompactionLag.Milliseconds())
	default:
		return nil
	}
	set := "compact," + minCompactionLag + "=" + millis(compactionLag)
	if most, err := strconv.ParseInt(c.Values[maxCompactionLag], 10, 64); err == nil && most < compactionLag.Milliseconds() {
		set += "," + maxCompactionLag + "=" + millis(longestCompaction) // brokers refuse a lower value
	}
	e.Repair = k.AlterConfigCommand(c.Name, cleanupPolicy, set)
	return e
}

// ShortTombstones returns an error if consumers of a stream with MODE=changes that were
// down for a day may miss deletes.
func ShortTombstones(k *cluster.Cluster, stream *transfer.Stream, c *cluster.TopicConfig) *CompactionError {
	have, err := strconv.ParseInt(c.Values[deleteRetention], 10, 64)
	if !stream.Changes || c.Err != nil || err != nil || have >= leastDeleteRetained.Milliseconds() {
		return nil
	}
	return &CompactionError{Topic: c.Name, Config: deleteRetention, Have: c.Values[deleteRetention], Want: "a day at least, better seven",
		Repair: k.AlterConfigCommand(c.Name, deleteRetention, millis(deleteRetained))}
}

// checkCompaction makes a stream with MODE=changes wait if its topic would lose
// profiles.
func (m *topicMonitor) checkCompaction(st *transfer.Stream, c *cluster.TopicConfig) {
	if !st.Changes {
		return
	}
	if c.Err != nil {
		m.log.Warn("can't read the configuration of a compacted topic: it is unknown whether it keeps profiles and deletes", "stream", st.Name,
			"topic", st.Topic, "error", c.Err, "do", fixRight)
		return
	}
	if why := CompactionFault(m.cluster, st, c); why != nil {
		m.block(st, why)
		return
	}
	if short := ShortTombstones(m.cluster, st, c); short != nil {
		m.log.Warn("the topic removes tombstones soon: a consumer that is down for longer keeps deleted profiles", "stream", st.Name, "topic", st.Topic,
			short.Config, short.Have, "needed", short.Want, "do", short.Repair)
	}
}
