package e2e

import (
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestBackfill_Changed widens a filter: settled days lack the new events. Each start logs that
// until "backfill --changed" has exported these days again; each row is then in the topic once.
func TestBackfill_Changed(t *testing.T) {
	t.Parallel()
	const lack = "settled days lack events that the stream exports now"
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 61, RowsPerDay: 300}})
	b.set("STREAM_EVENTS_LOOKBACK", "0", "STREAM_EVENTS_EVENTS", "df_login", "STREAM_EVENTS_START", "3")
	b.runOnce(0)
	b.command([]string{"nothing to do"}, "backfill", "events", "--changed")
	b.set("STREAM_EVENTS_EVENTS", "")
	b.unlimited()
	b.pollEvery("50ms") // today is due again at once
	if log := b.runOnce(0); !strings.Contains(log, lack) || !strings.Contains(log, "all but df_login") || !strings.Contains(log, "backfill events --changed") {
		t.Errorf("a wider filter is not logged:\n%s", log)
	}
	before := b.recordsIn("events")
	middle := (currentDay() - 2).String() // between two others that lack events
	b.command(nil, "backfill", "events", "--from", middle, "--yes")
	b.runOnce(0)
	b.command([]string{"2 days, 2 calls"}, "backfill", "events", "--changed", "--yes")
	if log := b.runOnce(0); !strings.Contains(log, lack) {
		t.Errorf("that days still lack events is not logged:\n%s", log)
	}
	if after := b.recordsIn("events"); after <= before {
		t.Errorf("%d records, there were %d: nothing was added", after, before)
	}
	if log := b.runOnce(0); strings.Contains(log, lack) {
		t.Errorf("the log reports days as lacking events that they have:\n%s", log)
	}
	b.compareEvents()
}

// TestChanged_Properties changes the properties of a stream: check and, before the first row,
// the log report how many rows are published again. If nothing was published yet, they report
// nothing.
func TestChanged_Properties(t *testing.T) {
	t.Parallel()
	const again = "hidden columns have changed"
	var perDay atomic.Int64
	rowsOn := func(schema.Day) int { return int(perDay.Load()) }
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 63, RowsOn: rowsOn}})
	b.unlimited()
	b.set("STREAM_EVENTS_PROPERTIES", "df_order_id")
	b.runOnce(0)
	perDay.Store(20)
	b.set("STREAM_EVENTS_PROPERTIES", "df_discount")
	if out, _ := b.run("check"); strings.Contains(out, again) {
		t.Errorf("nothing was published, but check reports:\n%s", out)
	}
	b.pollEvery("20ms")
	if log := b.runOnce(0); strings.Contains(log, again) {
		t.Errorf("nothing was published, but the log reports:\n%s", log)
	}
	b.set("STREAM_EVENTS_PROPERTIES", "df_order_id,df_discount")
	rows := b.countRecords()
	b.command([]string{again + ": run publishes 3 days with " + strconv.Itoa(rows) + " rows again, with other ids, by 3 calls"}, "check")
	log := b.runOnce(0)
	said, exported := strings.Index(log, again), strings.Index(log, "export ended")
	if said < 0 || said > exported || !strings.Contains(log, `"rows":`+strconv.Itoa(rows)+`,"calls":3`) {
		t.Errorf("what is published again is not logged before the first export:\n%s", log)
	}
}

// TestNames_Unknown: names of an event and a property that no row has are reported once all
// days have been exported, with similar names that do occur.
func TestNames_Unknown(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 64, RowsPerDay: 100, Events: []string{"df_login", "shop_visit"}}})
	b.unlimited()
	b.set("STREAMS", "events,visits", "STREAM_VISITS_EVENTS", "df_login,shop_visitt", "STREAM_VISITS_PROPERTIES", "df_discont,df_total_purchase_amount", "STREAM_VISITS_TOPIC", b.prefix+"visits",
		"STREAM_VISITS_START", "2")
	want := func(text string) []string {
		return []string{"no row of 3 days had an event shop_visitt: did you mean shop_visit?", "no row of 3 days had a property df_discont: did you mean df_discount?", text}
	}
	if out, _ := b.run("check"); strings.Contains(out, "no row") {
		t.Errorf("check reports names before the first call:\n%s", out)
	}
	expectText(t, b.runOnce(0), want("a name of the stream's filter never occurs")...)
	out, _ := b.run("check")
	expectText(t, out, want("correct STREAM_VISITS_PROPERTIES, or remove the name")...)
	if n := strings.Count(out, "no row of"); n != 2 {
		t.Errorf("check reports %d names that never occur, want 2:\n%s", n, out)
	}
}
