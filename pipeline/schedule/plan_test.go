package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

var (
	planned = time.FixedZone("Asia/Seoul", 9*3600)
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, planned)
	today   = schema.DayOf(noon, planned)
)

func newTestStream(name string, change func(*StreamConfig)) *Stream {
	s := StreamConfig{Name: name, Kind: schema.Event, Poll: 10 * time.Minute, Lookback: 2, LookbackInterval: time.Hour, StartBack: 4}
	if change != nil {
		change(&s)
	}
	st := newStream(s, testPolicy())
	st.exportHadRows = true
	return st
}

func testPolicy() *Policy {
	return &Policy{Service: "1234", Location: planned, CallsPerHour: 100, RetryBackoff: time.Second, RetryMaxBackoff: 10 * time.Minute, NarrowAfter: 3}
}

// scheduleOf returns a schedule of these streams that was created at noon.
func scheduleOf(streams ...*Stream) *State {
	s := New(nil, *testPolicy(), noon)
	s.streams = streams
	return s
}

// with adds a past day with its state, and how long ago its last successful export began.
func (s *Stream) with(back schema.Day, state ledger.DayState, ago time.Duration, change ...func(*Day)) *Stream {
	d := s.Day(today - back)
	then := noon.Add(-ago)
	d.record.State, d.record.LastSuccess, d.record.FirstExport = state, &then, &then
	for _, c := range change {
		c(d)
	}
	return s
}

func failing(attempts int, until time.Duration) func(*Day) {
	return func(d *Day) {
		d.record.Error = &ledger.Fault{Code: schema.QueryError, Attempts: attempts, Until: noon.Add(until)}
	}
}

// planLines returns the lines of a plan: stream, days before today, the reason to wait and
// until when.
func planLines(list []Due) []string {
	var lines []string
	for _, d := range list {
		line := fmt.Sprintf("%s -%d", d.Stream, today-d.Day)
		if d.At.After(noon) {
			line += fmt.Sprintf(" %s %s", d.Waits, d.At.Sub(noon))
		}
		if d.Probe {
			line += " probe"
		}
		lines = append(lines, line)
	}
	return lines
}

func TestPlan(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		streams []*Stream
		want    string // one line for each due day
	}{
		"a new stream: today, then the oldest first": {
			[]*Stream{newTestStream("a", nil)}, "a -0\na -4\na -3\na -2\na -1"},
		"a start of today alone": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 0 })}, "a -0"},
		"a start by date": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack, s.First = -1, today-1 })}, "a -0\na -1"},
		"polls and lookbacks wait for their time": {
			[]*Stream{newTestStream("a", nil).with(0, ledger.Open, 4*time.Minute).with(1, ledger.Open, 10*time.Minute).with(2, ledger.Open, 70*time.Minute).
				with(3, ledger.Settled, time.Hour).with(4, ledger.Settled, time.Hour)},
			"a -2\na -0 poll 6m0s\na -1 lookback 50m0s"},
		"an open day is due once its lookback is over": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack, s.First = -1, today-3 }).with(0, ledger.Open, 0).with(1, ledger.Open, 0).with(2, ledger.Open, 0).with(3, ledger.Open, 13*time.Hour)},
			"a -3\na -0 poll 10m0s\na -2 lookback 1h0m0s\na -1 lookback 1h0m0s"},
		"a long export is not repeated at once": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 0 }).with(0, ledger.Open, 20*time.Minute, func(d *Day) { d.took = 15 * time.Minute })},
			"a -0 poll 10m0s"},
		"a failing day yields to any other": {
			[]*Stream{newTestStream("a", nil).with(0, ledger.Open, 0).with(4, ledger.Pending, 0, failing(2, -time.Second))},
			"a -3\na -2\na -1\na -4\na -0 poll 10m0s"},
		"a failing day waits for its backoff": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 1 }).with(0, ledger.Open, 0).with(1, ledger.Pending, 0, failing(2, time.Minute))},
			"a -1 backoff 1m0s\na -0 poll 10m0s"},
		"streams take turns": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 2 }), newTestStream("b", func(s *StreamConfig) { s.StartBack = 2 }).called(-time.Minute)},
			"a -0\nb -0\na -2\na -1\nb -2\nb -1"},
		"a day about to leave the reach goes before everything": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = schema.Reach }).settledBut(30, 29)}, "a -30\na -29\na -0 poll 10m0s"},
		"a settled day has its last look": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = schema.Reach }).settledBut().with(29, ledger.Settled, 26*24*time.Hour, func(d *Day) { d.record.LastLook = false })}, "a -29\na -0 poll 10m0s"},
		"a last look is the last": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = schema.Reach }).settledBut().with(30, ledger.Settled, 0, func(d *Day) { d.record.LastLook = true })},
			"a -0 poll 10m0s"},
		"a gap is not due, unless a command wants it": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 2 }).with(0, ledger.Open, 0).with(1, ledger.Gap, 0).with(2, ledger.Gap, 0, func(d *Day) { d.requested = true })},
			"a -2\na -0 poll 10m0s"},
		"a day that is being exported is not due": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 1 }).with(1, ledger.Pending, 0, func(d *Day) { d.running = true })}, "a -0"},
		"profiles: today's snapshot, once a day": {
			[]*Stream{newTestStream("u", func(s *StreamConfig) { s.Kind, s.Poll = schema.UserProfile, 24*time.Hour }).with(0, ledger.Open, time.Hour).with(1, ledger.Open, 25*time.Hour)},
			"u -0 poll 23h0m0s"},
		"missing events are asked for again after hours": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 3 }).with(0, ledger.Open, 0).with(1, ledger.Open, 0).with(2, ledger.Open, 0).
				with(3, ledger.Open, time.Hour, func(d *Day) {
					tried := noon.Add(-2 * time.Hour)
					d.record.MissingEvents, d.record.MissingTried = []string{"x"}, &tried
				})},
			"a -0 poll 10m0s\na -2 lookback 1h0m0s\na -1 lookback 1h0m0s\na -3 backoff 4h0m0s"},
		"slices of a day go on at once": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 1 }).with(0, ledger.Open, 0).
				with(1, ledger.Open, 0, func(d *Day) { d.record.Slices = []ledger.Slice{{Events: []string{"x"}}} })},
			"a -1\na -0 poll 10m0s"},
		"slices of today are no poll": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 2 }).
				with(0, ledger.Open, time.Hour, func(d *Day) { d.record.Slices = []ledger.Slice{{Events: []string{"x"}}} })},
			"a -2\na -1\na -0"},
		"all days empty: a probe before anything else": {
			[]*Stream{newTestStream("a", func(s *StreamConfig) { s.StartBack = 3 }).noRows().with(0, ledger.Open, time.Hour).with(1, ledger.Open, time.Hour).with(2, ledger.Open, time.Hour).with(3, ledger.Settled, time.Hour)},
			"a -2 probe"},
	}
	for name, test := range tests {
		got := strings.Join(planLines(scheduleOf(test.streams...).plan(noon)), "\n")
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func (s *Stream) called(ago time.Duration) *Stream {
	s.lastCall = noon.Add(ago)
	return s
}

func (s *Stream) noRows() *Stream {
	s.exportHadRows = false
	return s
}

// settledBut sets every day in reach to settled, except the given ones, which are pending.
func (s *Stream) settledBut(pending ...schema.Day) *Stream {
	for back := schema.Day(1); back <= schema.Reach; back++ {
		s.with(back, ledger.Settled, 0, func(d *Day) { d.record.LastLook = true })
	}
	for _, back := range pending {
		delete(s.days, today-back)
	}
	return s.with(0, ledger.Open, 0)
}

// TestSettlesOverDaylightChange: days of 23 and 25 hours settle at local midnight plus the
// lookback.
func TestSettlesOverDaylightChange(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := newTestStream("a", func(s *StreamConfig) { s.Lookback = 1 })
	for day, want := range map[string]string{"2026-03-28": "2026-03-29T22:00:00Z", "2026-10-24": "2026-10-25T23:00:00Z", "2026-07-01": "2026-07-02T22:00:00Z"} {
		at, err := schema.ParseDay(day)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.settles(at, berlin).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s settles from %s on, want %s", day, got, want)
		}
	}
}
