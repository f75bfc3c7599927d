package e2e

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// letters are the dead letters, as a consumer reads them.
func (b *bench) letters() []schema.DeadLetter {
	b.t.Helper()
	var letters []schema.DeadLetter
	for _, m := range b.consume(b.prefix+"dead-letters", kgo.ReadUncommitted()) {
		var l schema.DeadLetter
		if err := json.Unmarshal([]byte(m.Value), &l); err != nil {
			b.t.Fatalf("dead letter %s: %v", m.Value, err)
		}
		if want := "1234/" + l.Stream + "/" + l.Day.String(); m.Key != want || m.Reason != string(l.Error.Code) {
			b.t.Errorf("dead letter of %s has the key %q and the class %q", want, m.Key, m.Reason)
		}
		if strings.Contains(m.Value, canary) {
			b.t.Errorf("the token is in a dead letter: %s", m.Value)
		}
		letters = append(letters, l)
	}
	return letters
}

func (b *bench) failedCalls() map[schema.Code]int {
	failed := map[schema.Code]int{}
	for _, c := range b.api.Calls() {
		if c.Code != "" {
			failed[c.Code]++
		}
	}
	return failed
}

// TestPoisonDay has one event among 50 whose query fails on one day of 30: everything else of that day, and all other days, are published.
func TestPoisonDay(t *testing.T) {
	t.Parallel()
	today := schema.DayOf(time.Now(), seoul)
	poison := exporttest.Poison{Day: today - 2, Event: "custom_event_17"}
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 3, RowsPerDay: 2000}, Poison: []exporttest.Poison{poison}})
	b.unbounded()
	b.environ["STREAM_EVENTS_START"] = "29"
	_, got := b.run("run", "--once")
	if got.Code != 0 {
		t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
	}
	var want []map[string]string
	for day := today - 29; day <= today; day++ {
		for _, record := range b.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day}).Records() {
			if day != poison.Day || record["event_name"] != poison.Event {
				want = append(want, record)
			}
		}
	}
	compare(t, want, b.published("events"))

	alone := 0
	letters := b.letters()
	for _, l := range letters {
		if l.Day != poison.Day || l.Error.Code != schema.QueryError {
			t.Errorf("an unexpected dead letter: %+v", l)
		}
		if slices.Equal(l.Error.Events, []string{poison.Event}) {
			alone++
		}
	}
	if alone != 1 {
		t.Errorf("%d dead letters name %s alone, want 1", alone, poison.Event)
	}
	if diff := cmp.Diff(b.failedCalls()[schema.QueryError], len(letters)); diff != "" {
		t.Errorf("failed calls and dead letters: %s", diff)
	}
	// 30 days, 3 failures, then at most two slices for each halving of 50 names and the one of everything else.
	if n := len(b.api.Calls()); n > 30+3+1+2*6+1 {
		t.Errorf("%d calls", n)
	}
}

// TestExclusiveToDate never settles a service empty whose to_date is not what is configured.
func TestExclusiveToDate(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 50}, ToDateExclusive: true})
	_, got := b.run("run", "--once")
	if got.Code != 3 || !strings.Contains(got.Stderr, "to_date looks exclusive: set DFINERY_TO_DATE=exclusive") {
		t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
	}
	if rows := b.published("events"); len(rows) != 0 {
		t.Errorf("%d rows are published", len(rows))
	}
	status, _ := b.run("status")
	expect(t, status, "halted: every day came back without a row", "to_date looks exclusive: set DFINERY_TO_DATE=exclusive", "waits for halted until")
	b.environ["DFINERY_TO_DATE"] = "exclusive"
	if _, got = b.run("run", "--once"); got.Code != 0 {
		t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
	}
	today := schema.DayOf(time.Now(), seoul)
	var want []map[string]string
	for day := today - 2; day <= today; day++ {
		want = append(want, b.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day}).Records()...)
	}
	compare(t, want, b.published("events"))
}
