package app_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// failingEvents is a set of events of one day whose queries fail until a time.
type failingEvents struct {
	day    schema.Day
	events []string
	until  time.Time
}

func (p *failingEvents) matches(c exporttest.Call) bool {
	if c.Query.From != p.day || !c.At.Before(p.until) {
		return false
	}
	for _, event := range p.events {
		switch f := c.Query.Filter; {
		case f.Events != nil && slices.Contains(f.Events, event), f.Events == nil && !slices.Contains(f.ExcludeEvents, event):
			return true
		}
	}
	return false
}

// events returns the event names in a day's rows.
func (w *simulation) events(day schema.Day) []string {
	seen := map[string]bool{}
	var names []string
	for _, record := range w.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day}).Records() {
		if name := record["event_name"]; !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}

// namedSingly returns the events of dead letters that name only one event, in the order of the
// letters.
func (w *simulation) namedSingly() []string {
	w.t.Helper()
	var names []string
	for _, r := range w.records("dead") {
		var l schema.DeadLetter
		if err := json.Unmarshal(r.Value, &l); err != nil {
			w.t.Fatal(err)
		}
		if len(l.Error.Events) == 1 {
			names = append(names, l.Error.Events[0])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// allBut counts the rows of the days from first to today, without some events of one day.
func (w *simulation) allBut(first, day schema.Day, events []string) map[string]int {
	count := map[string]int{}
	for at := first; at <= w.today(); at++ {
		for _, record := range w.api.Data.Export(exporttest.Query{Kind: schema.Event, From: at, To: at}).Records() {
			if at != day || !slices.Contains(events, record["event_name"]) {
				text, _ := json.Marshal(record)
				count[string(text)]++
			}
		}
	}
	return count
}

// expectRecords compares the published records.
func (w *simulation) expectRecords(when string, want map[string]int) {
	w.t.Helper()
	got, wrong := w.published(), 0
	for text, n := range got {
		want[text] -= n
	}
	for text, n := range want {
		if n != 0 {
			if wrong++; wrong <= 3 {
				w.t.Errorf("%s: %+d of %s", when, -n, text)
			}
		}
	}
	if wrong > 0 {
		w.t.Errorf("%s: %d records are wrong", when, wrong)
	}
}

func (w *simulation) published() map[string]int {
	w.t.Helper()
	count := map[string]int{}
	for _, r := range w.records("events") {
		record := map[string]string{}
		if err := json.Unmarshal(r.Value, &record); err != nil {
			w.t.Fatal(err)
		}
		text, _ := json.Marshal(record)
		count[string(text)]++
	}
	return count
}

// TestSlices_FailingEvents: the queries for two events of a day fail, one of which occurs on
// no other day. The rest of the day is published. The missing events are published when their
// queries succeed, hours later and after a restart; then the day settles.
func TestSlices_FailingEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		names := make([]string, 120)
		for i := range names {
			names[i] = "event_" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		}
		w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 8, RowsPerDay: 60, Events: names}})
		w.config.Streams[0].Start.Back = 3
		bad := &failingEvents{day: w.today() - 3, until: time.Now().Add(8 * time.Hour)}
		known := map[string]bool{}
		for day := bad.day + 1; day <= w.today(); day++ {
			for _, name := range w.events(day) {
				known[name] = true
			}
		}
		var old, fresh string
		for _, name := range w.events(bad.day) {
			if known[name] {
				old = name
			} else {
				fresh = name
			}
		}
		bad.events = []string{old, fresh}
		var elsewhere []string // events of that day that no slice of known names includes
		for _, name := range w.events(bad.day) {
			if !known[name] {
				elsewhere = append(elsewhere, name)
			}
		}
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			if bad.matches(c) {
				return &exporttest.Fault{Code: schema.QueryError}
			}
			return nil
		}
		w.run(time.Hour)
		w.expectRecords("while the queries of two events fail", w.allBut(bad.day, bad.day, append(elsewhere, old)))
		if diff := cmp.Diff([]string{old}, w.namedSingly()); diff != "" {
			t.Errorf("dead letters of one event (-want +got):\n%s", diff)
		}
		d := w.days()[bad.day]
		if diff := cmp.Diff([]string{"*", old}, slices.Sorted(slices.Values(d.MissingEvents))); diff != "" || d.State != ledger.Open {
			t.Errorf("the day is %s and lacks (-want +got):\n%s", d.State, diff)
		}
		// 4 days, 3 failures, one slice for all other names, two for each halving, and polls.
		if n := len(w.api.Calls()); n > 4+3+1+2*8+4 {
			t.Errorf("%d calls", n)
		}
		w.run(6 * time.Hour) // one more attempt, which fails
		w.run(8 * time.Hour)
		w.expectRecords("when all queries succeed", w.allBut(bad.day, 0, nil))
		if d := w.days()[bad.day]; d.State != ledger.Settled || !d.Final || d.MissingEvents != nil || d.Error != nil || d.Published != 60 {
			t.Errorf("the day when all queries succeed: %+v", d)
		}
		if n := len(w.api.Calls()); n > 28+2*2+15+3*3+2*2 {
			t.Errorf("%d calls", n)
		}
	})
}

// TestSlices_OutageInBetween: while a day is exported in slices all calls fail, from the first
// slice on or later. No event is skipped permanently, few calls are made, the breaker opens,
// and all rows are published afterwards.
func TestSlices_OutageInBetween(t *testing.T) {
	for name, slicesBefore := range map[string]int{"from the first slice on": 0, "in the middle of the slices": 4} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { outageDuringSlices(t, slicesBefore) })
		})
	}
}

func outageDuringSlices(t *testing.T, slicesBefore int) {
	w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 8, RowsPerDay: 200}})
	w.config.Streams[0].Start.Back = 2
	w.config.Streams[0].PollInterval = 10 * time.Minute
	bad := &failingEvents{day: w.today() - 2, until: time.Now().Add(3 * time.Hour)}
	bad.events = w.events(bad.day)[:1]
	var mu sync.Mutex
	var narrowed int // requested slices
	var from, to time.Time
	w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
		mu.Lock()
		defer mu.Unlock()
		if f := c.Query.Filter; f.Events != nil || f.ExcludeEvents != nil {
			if narrowed++; narrowed > slicesBefore && from.IsZero() {
				from, to = c.At, c.At.Add(3*time.Hour)
			}
		}
		if bad.matches(c) || !from.IsZero() && c.At.Before(to) {
			return &exporttest.Fault{Code: schema.QueryError}
		}
		return nil
	}
	w.run(5 * time.Hour)
	during, outside := 0, 0
	for _, c := range w.api.Calls() {
		if !c.At.Before(from) && c.At.Before(to) {
			during++
		} else {
			outside++
		}
	}
	// Slices and polls until the breaker opens, then a probe every 15 minutes.
	if during > 45 {
		t.Errorf("%d calls in an outage of three hours", during)
	}
	if n := w.letters()[schema.QueryError]; n < during {
		t.Errorf("%d dead letters, want at least %d for the failed calls of the outage", n, during)
	}
	if !strings.Contains(w.logged(), "breaker opened") {
		t.Errorf("the breaker did not open:\n%s", w.logged())
	}
	w.run(8 * time.Hour)
	w.expectRecords("after the outage", w.allBut(bad.day, 0, nil))
	if d := w.days()[bad.day]; d.MissingEvents != nil || d.Error != nil {
		t.Errorf("the day after the outage: %+v", d)
	}
	t.Logf("%d calls in the outage, %d before and after", during, outside)
}
