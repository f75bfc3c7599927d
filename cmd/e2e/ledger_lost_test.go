package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestLedger_Lost deletes the ledger: it is rebuilt from the topics, the loss is reported once,
// and nothing is published twice.
func TestLedger_Lost(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	b.deleteTopics("ledger", "ledger.rows")
	expectText(t, b.runOnce(0), "the ledger is empty: reading this service's records in the topics", `"level":"ERROR","msg":"the ledger was lost`, `"days":3,`)
	if log := b.runOnce(0); strings.Contains(log, "the ledger was lost") {
		t.Errorf("the loss is reported again:\n%s", log)
	}
	b.compareEvents()
}

const daysGone = "the ledger has lost the records of days"

// TestLedger_DayRecordsLost deletes old records of days from the ledger but keeps the checkpoint,
// as retention does. That is reported; rows of these days are neither published again nor
// counted twice, even if the program is killed during recovery.
func TestLedger_DayRecordsLost(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	day := currentDay() - 1
	before := b.endOffsets("ledger").Offsets()
	b.pollEvery("1h")
	b.command(nil, "backfill", "events", "--from", day.String(), "--to", day.String(), "--yes")
	b.runOnce(0) // only today changes
	b.setTopicConfig("ledger", "cleanup.policy", "delete")
	b.administer(func(ctx context.Context, c *kadm.Client) error {
		answers, err := c.DeleteRecords(ctx, before)
		if err == nil {
			err = answers.Error()
		}
		return err
	})
	b.setTopicConfig("ledger", "cleanup.policy", "compact")
	for _, step := range []string{"owner", "restored", "flushed"} {
		p := b.startToCrash(step, 1, "run")
		<-p.done
	}
	expectText(t, b.runOnce(0), daysGone, `"days":2`)
	b.pollEvery("100ms")
	b.finish()
	if log := b.runOnce(0); strings.Contains(log, daysGone) {
		t.Errorf("reported again:\n%s", log)
	}
}

// TestLedger_UnreadableRecord: run ends with an error at a record of the ledger that it can't
// read, and publishes nothing.
func TestLedger_UnreadableRecord(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"not JSON": "garbage", "a newer release's": `{"v":2,"state":"open"}`, "an unknown state": `{"state":"half"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newLateRows(t)
			b.runOnce(0)
			b.withClient(func(ctx context.Context, client *kgo.Client) error {
				key := fmt.Sprintf("day/1234/events/%s", currentDay()-1)
				return client.ProduceSync(ctx, &kgo.Record{Topic: b.prefix + "ledger", Key: []byte(key), Value: []byte(value)}).FirstErr()
			})
			before := len(b.published("events"))
			expectText(t, b.runOnce(1), "can't be read", "at offset ", "The service stops, because ignoring the record could repeat or lose rows")
			if n := len(b.published("events")); n != before {
				t.Errorf("%d rows were published", n-before)
			}
		})
	}
}
