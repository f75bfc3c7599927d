package e2e

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestCompacted: a stream's topic is compacted, as it should not be. Records that compaction takes before a checkpoint has confirmed them
// are said to repeat; those that the ledger has are not published again, nor called lost.
func TestCompacted(t *testing.T) {
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("the embedded Kafka compacts nothing: KAFKA_TEST_BROKERS is not set")
	}
	tests := map[string]struct {
		confirmed bool
		says      string // "": nothing
	}{
		"before the checkpoint": {false, "the log lacks records that were not in the ledger yet"},
		"after the checkpoint":  {true, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := lateBench(t)
			published := func() int { return len(b.consume(b.prefix+"events", kgo.ReadUncommitted())) }
			await := func(what string, so func() bool) {
				for deadline := time.Now().Add(2 * time.Minute); !so(); time.Sleep(200 * time.Millisecond) {
					if time.Now().After(deadline) {
						t.Fatalf("never: %s", what)
					}
				}
			}
			if test.confirmed {
				b.once(0)
			} else {
				b.leaveTail()
			}
			before, others := published(), 0
			for name, value := range map[string]string{
				"cleanup.policy": "compact", "segment.ms": "100", "min.cleanable.dirty.ratio": "0.001", "max.compaction.lag.ms": "100"} {
				b.alter("events", name, value)
			}
			await("the topic is compacted", func() bool {
				for p := range 6 { // a segment that is written is not compacted
					others++
					b.put("events", &kgo.Record{Partition: int32(p), Key: fmt.Append(nil, "other ", others), Value: []byte("{}")})
				}
				return published()-others < before
			})
			log := b.once(0)
			if said := strings.Contains(log, "the log lacks records"); said != (test.says != "") {
				t.Errorf("that the log lacks records is said: %v, want %v:\n%s", said, test.says != "", log)
			}
			if strings.Contains(log, "Kafka has lost") {
				t.Errorf("a false alarm:\n%s", log)
			}
			expect(t, log, test.says)
			b.known()
		})
	}
}
