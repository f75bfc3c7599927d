package pipeline

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

var (
	planned = time.FixedZone("Asia/Seoul", 9*3600)
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, planned)
	today   = schema.DayOf(noon, planned)
)

func TestPrunable(t *testing.T) {
	t.Parallel()
	state := func(from, to schema.Day, streams ...string) *ledger.State {
		s := &ledger.State{Days: map[ledger.DayName]*ledger.Day{}, Commands: map[string]*ledger.Command{}}
		for _, stream := range streams {
			for day := today - from; day <= today-to; day++ {
				s.Days[ledger.DayName{Stream: stream, Day: day}] = &ledger.Day{State: ledger.Settled}
			}
		}
		return s
	}
	with := func(s *ledger.State, id string, done ...time.Duration) *ledger.State {
		c := &ledger.Command{ID: id}
		if len(done) > 0 {
			at := noon.Add(-done[0])
			c.Done = &at
		}
		s.Commands[id] = c
		return s
	}
	names := func(from, to schema.Day, streams ...string) []ledger.DayName {
		var list []ledger.DayName
		for name := range state(from, to, streams...).Days {
			list = append(list, name)
		}
		return list
	}
	const month = 30 * 24 * time.Hour
	tests := map[string]struct {
		state    *ledger.State
		days     []ledger.DayName
		commands []string
	}{
		"a new service":                         {state(30, 0, "a"), nil, nil},
		"401 days":                              {state(400, 0, "a"), nil, nil},
		"402 days":                              {state(401, 0, "a"), names(401, 401, "a"), nil},
		"years":                                 {state(1000, 0, "a", "b"), names(1000, 401, "a", "b"), nil},
		"a stream that has been gone for years": {state(1400, 1001, "a"), nil, nil},
		"a clock years ahead":                   {state(1000, 970, "a"), nil, nil},
		"commands":                              {with(with(state(1, 0, "a"), "old", month+1), "young", month), nil, []string{"old"}},
		"days and commands, and one is under way": {with(with(state(500, 0, "a"), "old", month+1), "open"), nil, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			days, commands := prunable(test.state, noon, planned)
			for _, list := range [][]ledger.DayName{days, test.days} {
				slices.SortFunc(list, func(a, b ledger.DayName) int {
					return cmp.Or(cmp.Compare(a.Stream, b.Stream), cmp.Compare(a.Day, b.Day))
				})
			}
			if diff := gocmp.Diff(test.days, days); diff != "" {
				t.Errorf("days (-want +got):\n%s", diff)
			}
			if diff := gocmp.Diff(test.commands, commands); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
		})
	}
}
