package schedule

import (
	"testing"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestNextProbe: a probe of to_date is due only while no day of the stream had rows, and
// after a failure only after its backoff.
func TestNextProbe(t *testing.T) {
	empty := func(change ...func(*Stream)) *Stream {
		st := newTestStream("a", func(s *StreamConfig) { s.StartBack = 2 }).noRows()
		for back := schema.Day(0); back <= 2; back++ {
			st.with(back, ledger.Open, time.Hour)
		}
		for _, c := range change {
			c(st)
		}
		return st
	}
	failed := func(s *Stream) { s.probe.fail("no answer", noon.Add(time.Minute)) }
	for name, test := range map[string]struct {
		stream *Stream
		wanted bool
		at     time.Duration
	}{
		"all are empty":         {empty(), true, 0},
		"a day has rows":        {empty(func(s *Stream) { s.Day(today - 1).record.Rows = 1 }), false, 0},
		"a day is missing":      {empty(func(s *Stream) { delete(s.days, today-2) }), false, 0},
		"a day runs":            {empty(func(s *Stream) { s.Day(today).running = true }), false, 0},
		"rows came before":      {empty(func(s *Stream) { s.exportHadRows = true }), false, 0},
		"it was answered":       {empty(func(s *Stream) { s.probe.answered = true }), false, 0},
		"a suspected day":       {empty(func(s *Stream) { s.probe.suspected = today - 2; s.Day(today - 1).requested = true }), false, 0},
		"it was exported again": {empty(func(s *Stream) { s.probe.suspected = today - 2 }), true, 0},
		"the last one failed":   {empty(failed), true, time.Minute},
		"halted, whatever days": {empty(func(s *Stream) { s.days = days{}; s.halt(codeExclusive, "", noon, noon) }), true, 0},
		"a stream of snapshots": {empty(func(s *Stream) { s.Kind = schema.UserProfile }), false, 0},
		"no day before today":   {empty(func(s *Stream) { s.StartBack = 0 }), false, 0},
	} {
		next, wanted := test.stream.nextProbe(today, noon)
		if wanted != test.wanted || wanted && (!next.Probe || next.Day != today-2 || !next.At.Equal(noon.Add(test.at))) {
			t.Errorf("%s: wanted %t, %+v", name, wanted, next)
		}
	}
}
