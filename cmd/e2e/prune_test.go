package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestLedgerPruned: a start deletes old days and commands from the ledger, once, and nothing that it has published is published again.
func TestLedgerPruned(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 44, RowsPerDay: 300, Duplicates: 0.1, Late: 0.2, LateFrom: 2}})
	b.unbounded()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms", "100ms"
	b.once(0)
	today := schema.DayOf(time.Now(), seoul)
	var records []*kgo.Record
	want := map[ledger.DayName]bool{}
	for day := today - 60; day < today-2; day++ { // that nobody looked at, behind days that are known
		want[ledger.DayName{Stream: "events", Day: day}] = true
	}
	for _, stream := range []string{"events", "former"} { // of which the second is not configured any more
		kept := 400
		if stream == "events" {
			for day := today - 2; day <= today; day++ {
				want[ledger.DayName{Stream: stream, Day: day}] = true
				kept--
			}
		}
		for n := range 410 {
			day := today - 500 - schema.Day(n)
			records = append(records, &kgo.Record{Key: fmt.Appendf(nil, "day/1234/%s/%s", stream, day),
				Value: []byte(`{"state":"settled","exports":1,"last_success":"2024-01-01T00:00:00Z","final":true,"generation":1}`)})
			if n < kept {
				want[ledger.DayName{Stream: stream, Day: day}] = true
			}
		}
	}
	const command = `{"service":"1234","verb":"resume","stream":"events","given":"2024-01-01T00:00:00Z","done":"%s"}`
	b.put("ledger", append(records,
		&kgo.Record{Key: []byte("command/old"), Value: fmt.Appendf(nil, command, "2024-01-01T00:00:00Z")},
		&kgo.Record{Key: []byte("command/young"), Value: fmt.Appendf(nil, command, time.Now().UTC().Format(time.RFC3339))})...)

	expect(t, b.once(0), `"msg":"old records are deleted from the ledger","days":23,"commands":1`)
	_, state := b.books()
	got := map[ledger.DayName]bool{}
	for name := range state.Days {
		got[name] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if len(state.Commands) != 1 || state.Commands["young"] == nil {
		t.Errorf("commands %+v, want the young one alone", state.Commands)
	}
	deleted := 0
	for _, m := range b.consume(b.prefix+"ledger", kgo.ReadUncommitted()) {
		if m.Value == "" {
			deleted++
		}
	}
	b.once(0)
	if deleted != 24 {
		t.Errorf("%d records of the ledger are without a value, want 24", deleted)
	}
	compare(t, b.served(schema.Event), b.published("events"))
}
