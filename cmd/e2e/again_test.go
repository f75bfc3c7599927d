package e2e

import (
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestExportedAgain exports the same days ten times, in another order each time, with copies, late rows, rows that are gone later, and
// columns that are new, empty and then gone, and in other places: each row is published once, copies by their number.
func TestExportedAgain(t *testing.T) {
	t.Parallel()
	today := schema.DayOf(time.Now(), seoul)
	b := newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data: exporttest.Data{
			Seed: 71, RowsPerDay: 400, Odd: 0.2, Duplicates: 0.2, Shuffle: true, Late: 0.2, LateFrom: 4, Gone: 0.1, GoneFrom: 6,
			Header: exporttest.Headers(exporttest.Rotated, exporttest.NewColumn("campaign", today-1), exporttest.EmptyColumn("df_nothing")),
		},
	})
	b.unbounded()
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_LOOKBACK"] = "1", "2"
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "10ms", "10ms"
	log := ""
	for range 10 {
		log += b.once(0)
	}
	if n := len(b.api.Calls()); n != 20 {
		t.Errorf("%d calls, want ten for each of two days", n)
	}
	compare(t, b.served(schema.Event), b.published("events"))
	b.balanced()
	expect(t, log, "rows that were published are missing from the latest export of their day", "the export's columns have changed")
}
