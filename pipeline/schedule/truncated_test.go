package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestTruncation: cuts at the same place are counted; after a success only the kinds of cut
// that have a dead letter are kept.
func TestTruncation(t *testing.T) {
	var c truncation
	cut := func(kind schema.Cut, at string) { c.note(&schema.Failure{Cut: kind, CutAt: at}, noon) }
	cut(schema.NoNewline, "row 5")
	c.Times = 3
	cut(schema.NoNewline, "row 5")
	if c.Times != 3 {
		t.Errorf("the same place: %d times, want 3", c.Times)
	}
	cut(schema.NoNewline, "row 6")
	if c.Times != 0 {
		t.Errorf("another place: %d times, want 0", c.Times)
	}
	c.noteLetter(&schema.Failure{Cut: schema.NoNewline})
	c.noteLetter(&schema.Failure{Code: schema.Connection})
	c.end()
	want := ledger.Truncation{Letters: []schema.Cut{schema.NoNewline}}
	if diff := cmp.Diff(want, c.Truncation, cmpopts.IgnoreUnexported(ledger.Truncation{})); diff != "" {
		t.Errorf("after a success (-want +got):\n%s", diff)
	}
}

func TestCutWait(t *testing.T) {
	events := &StreamConfig{Kind: schema.Event, Poll: 10 * time.Minute, LookbackInterval: time.Hour}
	users := &StreamConfig{Kind: schema.UserProfile, Poll: 24 * time.Hour}
	for name, test := range map[string]struct {
		of    *StreamConfig
		today bool
		n     int
		took  time.Duration
		want  time.Duration
	}{
		"today, at the pace of polls":      {events, true, 1, 0, 10 * time.Minute},
		"a finished day, of the lookback":  {events, false, 1, 0, time.Hour},
		"it doubles":                       {events, false, 3, 0, 4 * time.Hour},
		"once a day at least":              {events, false, 9, 0, maxCutWait},
		"half of the time at most":         {events, true, 1, time.Hour, 2 * time.Hour},
		"a call that takes more than that": {events, true, 5, 20 * time.Hour, 40 * time.Hour},
		"a snapshot":                       {users, true, 1, 0, maxSnapshotWait},
	} {
		if got := test.of.cutWait(test.today, test.n, test.took); got != test.want {
			t.Errorf("%s: %v, want %v", name, got, test.want)
		}
	}
}
