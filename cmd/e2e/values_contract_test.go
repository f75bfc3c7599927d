package e2e

import (
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestValues_Contract: a stream with CONTRACT=freeze is halted before the first row of an export
// with a new column. Columns that only some of the earlier exports had are not new. After the
// columns are accepted, they are published and not reported again.
func TestValues_Contract(t *testing.T) {
	t.Parallel()
	var more atomic.Bool // new columns
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data: exporttest.Data{Seed: 31, RowsPerDay: 60, Late: 0.5, LateFrom: 4, Header: exporttest.Headers(exporttest.Rotated, exporttest.EmptyColumn("df_nothing"),
			func(_ schema.Day, _ int, columns []string) []string {
				if more.Load() {
					columns = slices.Insert(columns, 2, "쿠폰, 새")
				}
				return columns
			})},
	})
	b.unlimited()
	b.pollEvery("20ms")
	b.set("STREAM_EVENTS_START", "1", "STREAM_EVENTS_CONTRACT", "evolve")
	b.runOnce(0)
	b.set("STREAM_EVENTS_CONTRACT", "freeze")
	b.runOnce(0)
	b.runOnce(0)
	before := b.countRecords()
	more.Store(true)
	out := b.runOnce(3)
	if n := b.countRecords(); n != before {
		t.Fatalf("%d rows are published with columns that were not accepted: %s", n-before, out)
	}
	letters := b.deadLetters()
	if len(letters) == 0 || letters[0].Error.Code != schema.NewColumn || !strings.HasSuffix(letters[0].Error.Message, "is frozen: 쿠폰, 새") {
		t.Fatalf("dead letters %+v", letters)
	}
	p := b.start("run")
	b.command([]string{"1 column accepted: 쿠폰, 새"}, "contract", "accept", "events", "--wait", "20s")
	b.await("every row", func() bool { return b.countRecords() > before && b.countRecords() == len(b.served(schema.Event)) })
	b.command([]string{"no columns to accept"}, "contract", "accept", "events", "--wait", "20s")
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
	if out := b.runOnce(0); strings.Contains(out, "columns have changed") {
		t.Errorf("accepted columns are reported again: %s", out)
	}
	b.compareEvents()
}
