package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestRepublishedDays: the status shows a day that is published again in its former state
// and as running, but not one that was never exported.
func TestRepublishedDays(t *testing.T) {
	again := func(d *Day) { d.record.AgainBy, d.record.Generation = "command", 2 }
	never := func(d *Day) { d.record.LastSuccess = nil }
	st := newTestStream("events", nil).with(4, ledger.Pending, 0, again).with(1, ledger.Pending, 0, again).with(2, ledger.Pending, 0, never).
		with(3, ledger.Pending, 0, again, never)
	type shown struct {
		State   ledger.DayState
		Running bool
	}
	got := map[schema.Day]shown{}
	for _, d := range scheduleOf(st).Status(schema.Wait{}, noon)[0].Days {
		got[today-d.Day] = shown{d.State, d.Running}
	}
	want := map[schema.Day]shown{4: {ledger.Settled, true}, 1: {ledger.Open, true}, 2: {ledger.Pending, false}, 3: {ledger.Pending, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
}

// TestIncompleteSince: a day is complete only after an export that began after its end
// and had all events.
func TestIncompleteSince(t *testing.T) {
	only := func(back int) func(*StreamConfig) { return func(s *StreamConfig) { s.StartBack = back } }
	complete := func() *Stream { // with two days before today
		return newTestStream("events", only(2)).with(2, ledger.Settled, 40*time.Hour).with(1, ledger.Open, 11*time.Hour)
	}
	tests := map[string]struct {
		stream *Stream
		want   schema.Day // counted back from today; 0: all are complete
	}{
		"complete":                       {complete(), 0},
		"never tried":                    {newTestStream("events", only(3)), 3},
		"never with success":             {complete().with(1, ledger.Pending, 0, func(d *Day) { d.record.LastSuccess = nil }), 1},
		"never exported, but again":      {complete().with(1, ledger.Pending, 0, func(d *Day) { d.record.AgainBy, d.record.LastSuccess = "command", nil }), 1},
		"published again":                {complete().with(1, ledger.Pending, 11*time.Hour, func(d *Day) { d.record.AgainBy = "command" }), 0},
		"last success before its end":    {complete().with(1, ledger.Open, 13*time.Hour), 1},
		"without some events":            {complete().with(1, ledger.Open, time.Hour, func(d *Day) { d.record.MissingEvents = []string{"a"} }), 1},
		"in slices":                      {complete().with(1, ledger.Open, time.Hour, func(d *Day) { d.record.Slices = []ledger.Slice{{}} }), 1},
		"failing since it was complete":  {complete().with(1, ledger.Open, time.Hour, failing(3, time.Hour)), 0},
		"lost":                           {complete().with(2, ledger.Gap, 0, func(d *Day) { d.record.LastSuccess = nil }), 0},
		"settled by an earlier success":  {complete().with(2, ledger.Settled, 60*time.Hour), 0},
		"before the start":               {complete().with(5, ledger.Pending, 0), 0},
		"today alone":                    {newTestStream("events", only(0)), 0},
		"a snapshot":                     {newTestStream("users", func(s *StreamConfig) { s.Kind = schema.UserProfile }), 0},
		"the oldest of several, untried": {newTestStream("events", only(3)).with(2, ledger.Open, 50*time.Hour).with(1, ledger.Settled, time.Hour), 3},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := scheduleOf(test.stream).Status(schema.Wait{}, noon)[0].IncompleteSince
			switch {
			case test.want == 0 && got != nil:
				t.Errorf("incomplete since %v", got)
			case test.want > 0 && (got == nil || !got.Equal((today - test.want).End(planned))):
				t.Errorf("incomplete since %v, want the end of the day %d days before today", got, test.want)
			}
		})
	}
}
