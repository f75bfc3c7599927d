package e2e

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// rollKey is the key of the tombstones that make segments roll: the cleaner leaves the last one
// alone.
const rollKey = "rolls"

// createCompacted creates a topic of profiles that is not compacted before enableCompaction,
// and then as often as possible.
func (b *testbed) createCompacted(topic string, partitions int32) {
	b.t.Helper()
	b.createTopic(topic, partitions, map[string]string{
		"cleanup.policy": "compact", "min.compaction.lag.ms": oneDay, "segment.ms": "100", "min.cleanable.dirty.ratio": "0", "delete.retention.ms": "0", "message.timestamp.type": "LogAppendTime"})
}

// enableCompaction makes the brokers compact the topic. Only a running program accepts this
// configuration: a start would refuse it.
func (b *testbed) enableCompaction(topic string) {
	b.t.Helper()
	b.setTopicConfig(topic, "min.compaction.lag.ms", "0")
}

// compactKeys waits until compaction has left one record of each key, and returns the records.
func (b *testbed) compactKeys(topic string) []message {
	b.t.Helper()
	b.enableCompaction(topic)
	var all []message
	b.await("the topic is compacted", func() bool {
		all = b.consume(topic, kgo.ReadUncommitted())
		seen, partitions, repeated := map[string]bool{}, int32(0), false
		for _, m := range all {
			repeated = repeated || seen[m.Key] && m.Key != rollKey
			seen[m.Key], partitions = true, max(partitions, m.Partition+1)
		}
		if !repeated {
			return true
		}
		var roll []*kgo.Record
		for p := range partitions {
			roll = append(roll, &kgo.Record{Partition: p, Key: []byte(rollKey)})
		}
		b.put(topic, roll...)
		b.sleep(500 * time.Millisecond)
		return false
	})
	b.setTopicConfig(topic, "min.compaction.lag.ms", oneDay)
	return all
}
