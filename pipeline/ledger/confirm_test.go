package ledger_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
)

var (
	written = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	day     = ledger.DayName{Stream: "events", Day: 20779}
)

// ignoreKept ignores the fields for members that a release does not know.
var ignoreKept = cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".unknown" }, cmp.Ignore())

func TestConfirmed(t *testing.T) {
	const rows = "ledger.rows"
	confirmed := ledger.Day{State: ledger.Open, Exports: 3, Published: 10, Generation: 1, Fingerprints: []ledger.Range{{0, 2, 5}}}
	called := confirmed
	called.Exports, called.LastExport = 4, &written
	ahead := called
	ahead.Published, ahead.Fingerprints = 30, []ledger.Range{{0, 2, 5}, {0, 8, 9}}
	anew := called
	anew.State, anew.Published, anew.Fingerprints = ledger.Settled, 30, []ledger.Range{{0, 8, 11}}
	elsewhere := called
	elsewhere.Fingerprints = []ledger.Range{{1, 80, 90}}
	began := ledger.Day{State: ledger.Pending, Exports: 4, Generation: 2}
	beganAhead := began
	beganAhead.Published, beganAhead.Fingerprints = 20, []ledger.Range{{0, 8, 9}}
	cut, all := ahead, anew
	cut.Fingerprints = []ledger.Range{{0, 2, 5}}
	all.Published, all.Fingerprints = 0, nil

	marks := &ledger.Checkpoint{Partitions: []ledger.Mark{{Topic: "events", Partition: 0, Next: 1}, {Topic: rows, Partition: 0, Next: 8}}}
	tests := map[string]struct {
		checkpoint *ledger.Checkpoint
		records    []ledger.Day // oldest first
		want       ledger.Day
	}{
		"as the checkpoint left it":        {marks, []ledger.Day{confirmed}, confirmed},
		"a call since":                     {marks, []ledger.Day{confirmed, called}, called},
		"fingerprints since":               {marks, []ledger.Day{confirmed, ahead}, called},
		"a call and fingerprints since":    {marks, []ledger.Day{confirmed, called, ahead}, called},
		"all fingerprints anew":            {marks, []ledger.Day{confirmed, anew}, called},
		"two attempts":                     {marks, []ledger.Day{confirmed, ahead, called, anew}, called},
		"in another partition":             {marks, []ledger.Day{confirmed, elsewhere}, elsewhere},
		"a generation since":               {marks, []ledger.Day{confirmed, began, beganAhead}, began},
		"the others are compacted":         {marks, []ledger.Day{ahead}, cut},
		"no checkpoint":                    {nil, []ledger.Day{anew}, all},
		"no checkpoint, nor the first try": {nil, []ledger.Day{ahead, anew}, all},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			last := len(test.records) - 1
			s := &ledger.State{Checkpoint: test.checkpoint, Days: map[ledger.DayName]*ledger.Day{day: &test.records[last]}, Since: map[ledger.DayName][]*ledger.Day{}}
			for i := range test.records[:last] {
				s.Since[day] = append(s.Since[day], &test.records[i])
			}
			if diff := cmp.Diff(test.want, s.Confirmed(day, rows), ignoreKept); diff != "" {
				t.Errorf("record (-want +got):\n%s", diff)
			}
		})
	}
}
