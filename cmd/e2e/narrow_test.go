package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestCrashWhileNarrowing kills the program again and again while a day with two poisoned events is exported in slices: each process
// goes on where the last one was, and everything but the two events is published once.
func TestCrashWhileNarrowing(t *testing.T) {
	t.Parallel()
	program, err := withFaults()
	if err != nil {
		t.Fatal(err)
	}
	today := schema.DayOf(time.Now(), seoul)
	events := []string{"custom_event_17", "custom_event_41"}
	var poison []exporttest.Poison
	for _, event := range events {
		poison = append(poison, exporttest.Poison{Day: today - 1, Event: event})
	}
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 33, RowsPerDay: 2000}, Poison: poison})
	b.unbounded()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "1h", "1h"
	kills := 0
	// Three days and three failures; then slices.
	for _, n := range []int{7, 1, 2, 3, 1, 4} {
		p := b.start(program, []string{"FAULT_STEP=called", fmt.Sprintf("FAULT_COUNT=%d", n)}, "run")
		select {
		case <-p.done:
			kills++
		case <-time.After(20 * time.Second):
			t.Fatalf("there are no %d calls more:\n%s", n, p.text())
		}
	}
	b.once(0)
	var want []map[string]string
	for day := today - 2; day <= today; day++ {
		for _, record := range b.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day}).Records() {
			if day != today-1 || !slices.Contains(events, record["event_name"]) {
				want = append(want, record)
			}
		}
	}
	compare(t, want, b.published("events"))
	var alone []string
	for _, l := range b.letters() {
		if len(l.Error.Events) == 1 {
			alone = append(alone, l.Error.Events[0])
		}
	}
	slices.Sort(alone)
	if diff := cmp.Diff(events, slices.Compact(alone)); diff != "" {
		t.Errorf("events that dead letters name alone (-want +got):\n%s", diff)
	}
	// The days, the failures, a slice for the other names, two for each halving of 50 names and each event; and what the crashes repeat.
	if n := len(b.api.Calls()); n > 3+3+1+2*2*6+2*kills+3 {
		t.Errorf("%d calls", n)
	}
}
