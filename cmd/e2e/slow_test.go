package e2e

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// lettersByCode counts the dead letters; nil without any.
func (b *bench) lettersByCode() map[schema.Code]int {
	b.t.Helper()
	var count map[schema.Code]int
	for _, l := range b.letters() {
		if count == nil {
			count = map[schema.Code]int{}
		}
		count[l.Error.Code]++
	}
	return count
}

// TestSlowAndBroken: a stall, a silence, a reset are known within the limits and retried; a drip never fails; a clock that is hours off
// changes nothing.
func TestSlowAndBroken(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fault   exporttest.Fault
		letters map[schema.Code]int
	}{
		"stall":                {exporttest.Fault{Then: exporttest.Stall, AfterRow: 100}, map[schema.Code]int{"timeout": 1}},
		"stall in the header":  {exporttest.Fault{Then: exporttest.Stall, At: 10}, map[schema.Code]int{"timeout": 1}},
		"silence":              {exporttest.Fault{Hang: true}, map[schema.Code]int{"timeout": 1}},
		"reset":                {exporttest.Fault{Then: exporttest.Reset, AfterRow: 100, At: 7}, map[schema.Code]int{"cut_body": 1}},
		"hang-up":              {exporttest.Fault{Drop: true}, map[schema.Code]int{"connection": 1}},
		"drip":                 {exporttest.Fault{Drip: 4 << 10, DripEvery: 100 * time.Millisecond}, nil},
		"a clock hours ahead":  {exporttest.Fault{DateOff: 7 * time.Hour}, nil},
		"a clock hours behind": {exporttest.Fault{DateOff: -7 * time.Hour}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 83, RowsPerDay: 300}})
			b.api.Inject(test.fault)
			b.environ["DFINERY_IDLE_TIMEOUT"], b.environ["DFINERY_HEADER_TIMEOUT"] = "700ms", "2s"
			_, got := b.run("run", "--once")
			if diff := cmp.Diff(test.letters, b.lettersByCode()); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
			if got.Code != 0 {
				t.Errorf("exit %d:\n%s", got.Code, got.Stderr)
			}
			compare(t, b.served(schema.Event), b.published("events"))
		})
	}
}

// TestOutOfReachByAWrongClock: a day is a gap when the API says that it is out of reach, but not when its clock diff by hours from ours.
func TestOutOfReachByAWrongClock(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		off   time.Duration
		code  int
		state string
	}{"clocks agree": {0, 0, "gap"}, "API ahead": {7 * time.Hour, 3, "pending"}, "API behind": {-7 * time.Hour, 3, "pending"}}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			oldest := schema.DayOf(time.Now(), seoul) - 2
			b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 84, RowsPerDay: 20}, Faults: func(c exporttest.Call) *exporttest.Fault {
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
			_, state := b.books()
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
