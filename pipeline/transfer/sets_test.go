package transfer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// TestDropSets: fingerprints are removed from memory, except those of today and of days with
// exports in progress.
func TestDropSets(t *testing.T) {
	const today schema.Day = 20_000
	r := New(Config{Streams: []Stream{{StreamConfig: schedule.StreamConfig{Name: "a"}}}})
	day := func(back schema.Day) *Day { return r.Day(ledger.DayName{Stream: "a", Day: today - back}) }
	for back := range schema.Day(4) {
		day(back).Rows = dedup.Day{Set: new(dedup.Set)}
	}
	day(2).export = new(Export)
	day(3).Rows.Rewrite()
	r.DropSets(today)
	got := map[schema.Day]bool{}
	for d := range r.Days {
		got[today-d.Name.Day] = d.Rows.Set != nil
	}
	if diff := cmp.Diff(map[schema.Day]bool{0: true, 1: false, 2: true, 3: true}, got); diff != "" {
		t.Errorf("days that are loaded (-want +got):\n%s", diff)
	}
}
