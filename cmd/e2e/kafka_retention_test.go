package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/schema"
)

// TestRetention_ConfirmedRecords deletes records whose rows are in the ledger: they are not
// published again.
func TestRetention_ConfirmedRecords(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	before := b.published("events")
	b.deleteRecords(b.endOffsets("events").Offsets())
	for range 3 { // each later export has late rows
		if log := b.runOnce(0); strings.Contains(log, "published twice") || strings.Contains(log, "lost") {
			t.Errorf("the log reports a loss or duplicates, but there are none:\n%s", log)
		}
	}
	compareRows(t, b.served(schema.Event), append(before, b.published("events")...))
}

// TestRetention_UnconfirmedRecords deletes records after the last checkpoint: that is reported,
// and only these rows may be published twice.
func TestRetention_UnconfirmedRecords(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.crashBeforeCheckpoint()
	before := b.published("events")
	if len(before) < 200 {
		t.Fatalf("%d rows after the last checkpoint", len(before))
	}
	b.deleteRecords(b.endOffsets("events").Offsets())
	expectText(t, b.runOnce(0), "the topic has lost records that were not yet in the ledger: rows of unsettled days may be published twice")
	if log := b.runOnce(0); strings.Contains(log, "the topic has lost records") {
		t.Errorf("reported again:\n%s", log)
	}
	b.compareEvents() // the ledger had none of the deleted rows
	b.checkLedger()
}

// TestRetention_Compaction compacts a stream's topic. Removed records after the last checkpoint
// are reported as rows that may be published twice; removed records whose rows are in the ledger
// are neither published again nor reported as lost.
func TestRetention_Compaction(t *testing.T) {
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("KAFKA_TEST_BROKERS is not set: the embedded Kafka does not compact")
	}
	tests := map[string]struct {
		confirmed bool
		says      string // "": no report
	}{
		"before the checkpoint": {false, "the log lacks records that were not yet in the ledger"},
		"after the checkpoint":  {true, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newLateRows(t)
			published := func() int { return len(b.consume("events", kgo.ReadUncommitted())) }
			if test.confirmed {
				b.runOnce(0)
			} else {
				b.crashBeforeCheckpoint()
			}
			before, others := published(), 0
			for name, value := range map[string]string{
				"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "100"} {
				b.setTopicConfig("events", name, value)
			}
			b.await("the topic is compacted", func() bool {
				for p := range partitions { // the active segment is not compacted
					others++
					b.put("events", &kgo.Record{Partition: int32(p), Key: fmt.Append(nil, "other ", others), Value: []byte("{}")})
				}
				return published()-others < before
			})
			log := b.runOnce(0)
			if reported := strings.Contains(log, "the log lacks records"); reported != (test.says != "") {
				t.Errorf("report of missing records: %v, want %v:\n%s", reported, test.says != "", log)
			}
			if strings.Contains(log, "Kafka has lost") {
				t.Errorf("a loss is reported without one:\n%s", log)
			}
			expectText(t, log, test.says)
			b.checkedDays()
		})
	}
}
