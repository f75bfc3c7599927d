package schedule

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// shown has the parts of a day's record that change with time alone.
type shown struct {
	State ledger.DayState
	Final bool
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	profiles := func(s *StreamConfig) { s.Kind = schema.UserProfile }
	all := func(s *StreamConfig) { s.StartBack = schema.Reach }
	final := func(d *Day) { d.record.Final = true }
	tests := map[string]struct {
		stream *Stream
		want   map[schema.Day]shown // by days before today
	}{
		"a day in its last day of reach stays": {
			newTestStream("a", all).with(schema.Reach, ledger.Pending, 0), map[schema.Day]shown{30: {ledger.Pending, false}}},
		"a day that was never exported is a gap": {
			newTestStream("a", all).with(schema.Reach+1, ledger.Pending, 0), map[schema.Day]shown{31: {ledger.Gap, false}}},
		"an open day is settled, but not for good": {
			newTestStream("a", all).with(schema.Reach+1, ledger.Open, 0), map[schema.Day]shown{31: {ledger.Settled, false}}},
		"a settled day stays": {
			newTestStream("a", all).with(schema.Reach+1, ledger.Settled, 0, final), map[schema.Day]shown{31: {ledger.Settled, true}}},
		"days that passed while nobody looked are gaps": {
			newTestStream("a", all).with(schema.Reach+4, ledger.Settled, 0, final), map[schema.Day]shown{
				34: {ledger.Settled, true}, 33: {ledger.Gap, false}, 32: {ledger.Gap, false}, 31: {ledger.Gap, false}}},
		"a gap within the reach was the clock's fault": {
			newTestStream("a", all).with(schema.Reach, ledger.Gap, 0).with(schema.Reach+1, ledger.Gap, 0), map[schema.Day]shown{30: {ledger.Pending, false}, 31: {ledger.Gap, false}}},
		"a day that is being exported has its chance": {
			newTestStream("a", all).with(schema.Reach+1, ledger.Pending, 0, func(d *Day) { d.running = true }), map[schema.Day]shown{31: {ledger.Pending, false}}},
		"an outage of months: gaps go back two reaches": {
			newTestStream("a", all).with(100, ledger.Settled, 0).with(schema.Reach+1, ledger.Gap, 0), func() map[schema.Day]shown {
				gaps := map[schema.Day]shown{100: {ledger.Settled, false}}
				for back := schema.Day(schema.Reach + 1); back <= missed; back++ {
					gaps[back] = shown{ledger.Gap, false}
				}
				return gaps
			}()},
		"days before the start are nobody's loss": {
			newTestStream("a", func(s *StreamConfig) { s.StartBack = 2 }).with(0, ledger.Open, 0), map[schema.Day]shown{0: {ledger.Open, false}}},
		"yesterday's snapshot was had": {
			newTestStream("u", profiles).with(1, ledger.Open, 0), map[schema.Day]shown{1: {ledger.Settled, true}}},
		"yesterday's snapshot was not: today's has its rows": {
			newTestStream("u", profiles).with(1, ledger.Pending, 0), map[schema.Day]shown{1: {ledger.Pending, false}}},
		"no snapshot of days without one": {
			newTestStream("u", profiles).with(5, ledger.Settled, 0), map[schema.Day]shown{5: {ledger.Settled, false}}},
	}
	for name, test := range tests {
		scheduleOf(test.stream).Advance(noon)
		got := map[schema.Day]shown{}
		for at, d := range test.stream.days {
			got[today-at] = shown{d.record.State, d.record.Final}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
