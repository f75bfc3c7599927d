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
	requiredCompactionLag  = 12 * time.Hour
	compactionLag          = 24 * time.Hour
	longestCompaction      = 7 * 24 * time.Hour
	requiredDeleteRetained = 24 * time.Hour
	deleteRetained         = 7 * 24 * time.Hour
)

// compactedConfigs are the configurations with which such a topic is created.
func compactedConfigs() map[string]string {
	return map[string]string{
		cluster.ConfigCleanupPolicy:    "compact",
		cluster.ConfigMinCompactionLag: cluster.Milliseconds(compactionLag),
		cluster.ConfigMaxCompactionLag: cluster.Milliseconds(longestCompaction),
		cluster.ConfigDeleteRetention:  cluster.Milliseconds(deleteRetained),
	}
}

const changesUser = "a stream with MODE=changes" // of such a topic, in errors

// CompactionFault returns a *cluster.ConfigError if a stream with MODE=changes can't use
// its topic; nil if it can, or if the configuration may not be read.
func CompactionFault(k *cluster.Cluster, stream *transfer.Stream, c *cluster.TopicConfig) error {
	if !stream.Changes || c.Err != nil {
		return nil
	}
	lag, unknown := strconv.ParseInt(c.Values[cluster.ConfigMinCompactionLag], 10, 64)
	e := &cluster.ConfigError{Topic: c.Name, User: changesUser}
	switch {
	case c.CleanupPolicy != "compact":
		e.Config, e.Have, e.Want = cluster.ConfigCleanupPolicy, c.CleanupPolicy, "compact alone"
	case unknown == nil && lag < requiredCompactionLag.Milliseconds():
		e.Config, e.Have, e.Want = cluster.ConfigMinCompactionLag, c.Values[cluster.ConfigMinCompactionLag], fmt.Sprintf("%d (12 hours) at least", requiredCompactionLag.Milliseconds())
	default:
		return nil
	}
	set := "compact," + cluster.ConfigMinCompactionLag + "=" + c.CompactionLagValue(compactionLag, longestCompaction)
	e.Repair = k.AlterConfigCommand(c.Name, cluster.ConfigCleanupPolicy, set)
	return e
}

// ShortTombstones returns an error if consumers of a stream with MODE=changes that were
// down for a day may miss deletes.
func ShortTombstones(k *cluster.Cluster, stream *transfer.Stream, c *cluster.TopicConfig) *cluster.ConfigError {
	have, err := strconv.ParseInt(c.Values[cluster.ConfigDeleteRetention], 10, 64)
	if !stream.Changes || c.Err != nil || err != nil || have >= requiredDeleteRetained.Milliseconds() {
		return nil
	}
	return &cluster.ConfigError{Topic: c.Name, User: changesUser, Config: cluster.ConfigDeleteRetention, Have: c.Values[cluster.ConfigDeleteRetention], Want: "a day at least, better seven",
		Repair: k.AlterConfigCommand(c.Name, cluster.ConfigDeleteRetention, cluster.Milliseconds(deleteRetained))}
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
