package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

func TestClampFutureTimes(t *testing.T) {
	t.Parallel()
	before, later := noon.Add(-time.Hour), noon.Add(48*time.Hour)
	st := newTestStream("a", nil).with(0, ledger.Open, 0, func(d *Day) {
		d.record.FirstExport, d.record.LastExport, d.record.LastSuccess = &before, &later, &later
		d.record.Error = &ledger.Fault{Code: schema.QueryError, At: later, Attempts: 2, Until: later.Add(time.Minute)}
	}).with(1, ledger.Open, 0, func(d *Day) {
		d.record.LastSuccess, d.record.FirstExport = &before, nil
		d.record.Error = &ledger.Fault{Code: schema.QueryError, At: before, Attempts: 1, Until: later}
	})
	st.halted = &ledger.Halt{Since: later, Until: later.Add(time.Hour)}
	st.clampFutureTimes(noon)

	want := map[schema.Day]ledger.Day{
		today: {State: ledger.Open, FirstExport: &before, LastExport: &noon, LastSuccess: &noon,
			Error: &ledger.Fault{Code: schema.QueryError, At: noon, Attempts: 2, Until: noon}},
		today - 1: {State: ledger.Open, LastSuccess: &before, Error: &ledger.Fault{Code: schema.QueryError, At: before, Attempts: 1, Until: later}},
	}
	got := map[schema.Day]ledger.Day{}
	for at, d := range st.days {
		got[at] = d.record
	}
	ignoreKept := cmpopts.IgnoreUnexported(ledger.Day{}, ledger.Fault{}, ledger.Halt{}) // members unknown to this release: none here
	if diff := cmp.Diff(want, got, ignoreKept, cmpopts.IgnoreFields(ledger.Day{}, "Generation")); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&ledger.Halt{Since: noon, Until: noon}, st.halted, ignoreKept); diff != "" {
		t.Errorf("halt (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]*time.Time{&noon, &before, nil}, []*time.Time{Past(&later, noon), Past(&before, noon), Past(nil, noon)}); diff != "" {
		t.Errorf("past times (-want +got):\n%s", diff)
	}
}

func TestReopen(t *testing.T) {
	t.Parallel()
	all := func(s *StreamConfig) { s.StartBack = schema.Reach }
	final := func(d *Day) { d.record.Final = true }
	looked := func(d *Day) { d.record.Final, d.record.LastLook = true, true }
	refused := func(d *Day) { d.record.Error = &ledger.Fault{Code: schema.ExceedDateRangeLimit} }
	type state struct {
		State    ledger.DayState
		LastLook bool
	}
	tests := map[string]struct {
		back schema.Day
		from ledger.DayState
		with func(*Day)
		want state
	}{
		"a gap within the reach":              {schema.Reach, ledger.Gap, func(*Day) {}, state{ledger.Pending, false}},
		"a gap beyond it":                     {schema.Reach + 1, ledger.Gap, func(*Day) {}, state{ledger.Gap, false}},
		"a gap of the API's own":              {schema.Reach, ledger.Gap, refused, state{ledger.Gap, false}},
		"a gap of the future":                 {-1, ledger.Gap, func(*Day) {}, state{ledger.Gap, false}},
		"settled today":                       {0, ledger.Settled, final, state{ledger.Open, false}},
		"settled within the lookback":         {2, ledger.Settled, final, state{ledger.Open, false}},
		"settled after it":                    {3, ledger.Settled, final, state{ledger.Settled, false}},
		"left behind by a shorter start":      {3, ledger.Settled, func(*Day) {}, state{ledger.Open, false}},
		"left behind, and of the API's own":   {3, ledger.Settled, refused, state{ledger.Settled, false}},
		"left behind beyond the reach":        {schema.Reach + 1, ledger.Settled, func(*Day) {}, state{ledger.Settled, false}},
		"a last look that was too early":      {schema.Reach - 2, ledger.Settled, looked, state{ledger.Settled, false}},
		"a last look in the last two days":    {schema.Reach - 1, ledger.Settled, looked, state{ledger.Settled, true}},
		"a last look beyond the reach stands": {schema.Reach + 1, ledger.Settled, looked, state{ledger.Settled, true}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st := newTestStream("a", all).with(test.back, test.from, 0, test.with)
			scheduleOf(st).Advance(noon)
			d := st.days[today-test.back]
			if diff := cmp.Diff(test.want, state{d.record.State, d.record.LastLook}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
