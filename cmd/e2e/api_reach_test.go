package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

func (b *testbed) failedCalls() map[schema.Code]int {
	failed := map[schema.Code]int{}
	for _, c := range b.api.Calls() {
		if c.Code != "" {
			failed[c.Code]++
		}
	}
	return failed
}

// TestAPI_FailingEvent: the query for one of 50 events fails on one of 30 days. All other
// events and days are published, and a dead letter names that event.
func TestAPI_FailingEvent(t *testing.T) {
	t.Parallel()
	today := currentDay()
	poison := exporttest.Poison{Day: today - 2, Event: "custom_event_17"}
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 3, RowsPerDay: 500}, Poison: []exporttest.Poison{poison}})
	b.unlimited()
	b.environ["STREAM_EVENTS_START"] = "29"
	b.runOnce(0)
	want := b.rowsOf(poison.Day, poison.Event)
	for day := today - 29; day <= today; day++ {
		if day != poison.Day {
			want = append(want, b.rowsOf(day)...)
		}
	}
	compareRows(t, want, b.published("events"))

	alone := 0
	letters := b.deadLetters()
	for _, l := range letters {
		if l.Day != poison.Day || l.Error.Code != schema.QueryError {
			t.Errorf("an unexpected dead letter: %+v", l)
		}
		if slices.Equal(l.Error.Events, []string{poison.Event}) {
			alone++
		}
	}
	if alone != 1 {
		t.Errorf("%d dead letters name only %s, want 1", alone, poison.Event)
	}
	if diff := cmp.Diff(b.failedCalls()[schema.QueryError], len(letters)); diff != "" {
		t.Errorf("failed calls and dead letters: %s", diff)
	}
	// 30 days, 3 failures, then at most two slices for each halving of 50 names and one for
	// all other names.
	if n := len(b.api.Calls()); n > 30+3+1+2*6+1 {
		t.Errorf("%d calls", n)
	}
}

// TestAPI_ExclusiveToDate: if the API treats to_date in another way than configured, days are
// not settled as empty; the stream is halted.
func TestAPI_ExclusiveToDate(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 50}, ToDateExclusive: true})
	_, got := b.run("run", "--once")
	if got.Code != 3 || !strings.Contains(got.Stderr, "to_date looks exclusive: set DFINERY_TO_DATE=exclusive") {
		t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
	}
	if rows := b.published("events"); len(rows) != 0 {
		t.Errorf("%d rows are published", len(rows))
	}
	status, _ := b.run("status")
	expectText(t, status, "halted: every day came back without a row", "to_date looks exclusive: set DFINERY_TO_DATE=exclusive", "waits for halted until")
	b.environ["DFINERY_TO_DATE"] = "exclusive"
	b.runOnce(0)
	today := currentDay()
	want := slices.Concat(b.rowsOf(today), b.rowsOf(today-1), b.rowsOf(today-2))
	compareRows(t, want, b.published("events"))
}

// TestAPI_OutOfReach: a day that the API refuses as out of reach becomes a gap, but not if the
// API's clock differs by hours.
func TestAPI_OutOfReach(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		off   time.Duration
		code  int
		state string
	}{"clocks agree": {0, 0, "gap"}, "API ahead": {7 * time.Hour, 3, "pending"}, "API behind": {-7 * time.Hour, 3, "pending"}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oldest := currentDay() - 2
			b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 84, RowsPerDay: 20}, Faults: func(c exporttest.Call) *exporttest.Fault {
				if c.Query.From == oldest {
					return &exporttest.Fault{DateOff: test.off, Code: schema.ExceedDateRangeLimit}
				}
				return nil
			}})
			b.environ["RETRY_BACKOFF"], b.environ["RETRY_MAX_BACKOFF"] = "2m", "2m"
			_, got := b.run("run", "--once")
			if got.Code != test.code {
				t.Errorf("exit %d, want %d", got.Code, test.code)
			}
			state := b.ledgerState()
			days := map[string]string{}
			for name, d := range state.Days {
				days[name.Day.String()] = string(d.State)
			}
			want := map[string]string{oldest.String(): test.state, (oldest + 1).String(): "open", (oldest + 2).String(): "open"}
			if diff := cmp.Diff(want, days); diff != "" {
				t.Errorf("days (-want +got):\n%s\n%s", diff, got.Stderr)
			}
		})
	}
}
