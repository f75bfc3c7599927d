package cluster

import (
	"fmt"
	"strconv"
	"time"
)

// Names of topic configurations (https://kafka.apache.org/documentation/#topicconfigs).
const (
	ConfigCleanupPolicy     = "cleanup.policy"
	ConfigDeleteRetention   = "delete.retention.ms"
	ConfigMaxCompactionLag  = "max.compaction.lag.ms"
	ConfigMaxMessageBytes   = "max.message.bytes"
	ConfigMinCompactionLag  = "min.compaction.lag.ms"
	ConfigMinInsyncReplicas = "min.insync.replicas"
	ConfigRetention         = "retention.ms"
	ConfigRetentionBytes    = "retention.bytes"
	ConfigSegmentBytes      = "segment.bytes"
	ConfigTimestampType     = "message.timestamp.type"
	ConfigUncleanElection   = "unclean.leader.election.enable"
)

// ConfigError reports a topic whose configuration would delete required records, or refuse
// records.
type ConfigError struct {
	Topic, Config, Have, Want string
	User                      string // who needs what Want says: "the ledger"
	Repair                    string // the command that sets it
}

func (e *ConfigError) Error() string {
	return fmt.Sprintf("topic %s has %s=%s, %s needs %s; repair it with: %s", e.Topic, e.Config, e.Have, e.User, e.Want, e.Repair)
}

// CompactionLagValue is the value with which AlterConfigCommand sets ConfigMinCompactionLag to
// lag. Brokers refuse a maximum below: it is then raised, too.
func (c *TopicConfig) CompactionLagValue(lag, raised time.Duration) string {
	value := Milliseconds(lag)
	if most, err := strconv.ParseInt(c.Values[ConfigMaxCompactionLag], 10, 64); err == nil && most < lag.Milliseconds() {
		value += "," + ConfigMaxCompactionLag + "=" + Milliseconds(raised)
	}
	return value
}

// Milliseconds is a duration as the value of a configuration.
func Milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
