package e2e

import (
	"strings"
	"testing"

	"dfinery-kafka/connector/exporttest"
)

// TestBackfill_Changed: a wider filter leaves settled days without the new events. That is logged at each start until backfill --changed has
// exported these days again, and then each row is in the topic once.
func TestBackfill_Changed(t *testing.T) {
	t.Parallel()
	const lack = "settled days lack events that the stream exports now"
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 61, RowsPerDay: 300}})
	b.set("STREAM_EVENTS_LOOKBACK", "0", "STREAM_EVENTS_EVENTS", "df_login")
	b.runOnce(0)
	b.command([]string{"nothing to do"}, "backfill", "events", "--changed")
	b.set("STREAM_EVENTS_EVENTS", "")
	b.unlimited()
	b.pollEvery("50ms") // today is due again
	if log := b.runOnce(0); !strings.Contains(log, lack) || !strings.Contains(log, "all but df_login") || !strings.Contains(log, "backfill events --changed") {
		t.Errorf("a wider filter is not logged:\n%s", log)
	}
	before := b.recordsIn("events")
	b.command([]string{"2 days, 2 calls"}, "backfill", "events", "--changed", "--yes")
	if log := b.runOnce(0); !strings.Contains(log, lack) {
		t.Errorf("that days still lack events is not logged:\n%s", log)
	}
	if after := b.recordsIn("events"); after <= before {
		t.Errorf("%d records, there were %d: nothing was added", after, before)
	}
	if log := b.runOnce(0); strings.Contains(log, lack) {
		t.Errorf("days are said to lack events that they have:\n%s", log)
	}
	b.compareEvents()
}
