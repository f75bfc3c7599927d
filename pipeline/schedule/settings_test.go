package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestNoteSettings: each change of a setting is reported once. That settled days lack
// events is reported until they have been exported again.
func TestNoteSettings(t *testing.T) {
	config := StreamConfig{Name: "events", Kind: schema.Event, Filter: schema.Filter{Events: []string{"a"}}, Key: "k", Empty: schema.EmptyOmit, Format: "json", Poll: time.Minute, StartBack: 4}
	policy := Policy{Service: "1234", Location: planned, CallsPerHour: 100}
	success := noon.Add(-time.Hour)
	days := map[ledger.DayName]ledger.Day{}
	for back := schema.Day(1); back <= 4; back++ {
		state := ledger.Settled
		if back == 1 {
			state = ledger.Open
		}
		days[ledger.DayName{Stream: "events", Day: today - back}] = ledger.Day{State: state, LastSuccess: &success, Generation: 1}
	}
	service := new(ledger.Service)
	load := func(now time.Time, change func(*StreamConfig)) []Event {
		s := config
		change(&s)
		state := New([]StreamConfig{s}, policy, now)
		events := state.Load(service, days, now)
		state.SaveTo(service, now)
		return events
	}
	lack := func(count int, from, to schema.Day) Event {
		return Event{Kind: DaysLack, Stream: "events", Day: today - from, LastDay: today - to, Count: count,
			EventName: "all but a"}
	}
	same := func(*StreamConfig) {}
	wide := func(s *StreamConfig) { s.Filter.Events = nil }
	steps := []struct {
		name   string
		change func(*StreamConfig)
		before func()
		want   []Event
	}{
		{"a ledger of an earlier release", same, nil, nil},
		{"nothing has changed", same, nil, nil},
		{"a wider filter", wide, nil, []Event{{Kind: SettingChanged, Stream: "events", Detail: "more events are exported now: all but a"}, lack(3, 4, 2)}},
		{"the next start", wide, nil, []Event{lack(3, 4, 2)}},
		{"one day was exported again", wide, func() {
			later := noon.Add(time.Hour)
			d := days[ledger.DayName{Stream: "events", Day: today - 4}]
			d.LastSuccess = &later
			days[ledger.DayName{Stream: "events", Day: today - 4}] = d
		}, []Event{lack(2, 3, 2)}},
		{"another key and form", func(s *StreamConfig) { wide(s); s.Key, s.Empty = "l", schema.EmptyNull }, nil, []Event{
			{Kind: SettingChanged, Stream: "events", Detail: "records have the key l from now on instead of k, and may be in other partitions; earlier records keep theirs"},
			{Kind: SettingChanged, Stream: "events", Detail: "empty cells are written with STREAM_EVENTS_EMPTY=null from now on instead of omit; rows published before are unchanged"}, lack(2, 3, 2)}},
		{"another format", func(s *StreamConfig) { wide(s); s.Key, s.Empty, s.Format = "l", schema.EmptyNull, "avro" }, nil, []Event{
			{Kind: SettingChanged, Stream: "events", Detail: "values have the format avro from now on instead of json"}, lack(2, 3, 2)}},
		{"the filter of before", func(s *StreamConfig) { s.Key, s.Empty, s.Format = "l", schema.EmptyNull, "avro" }, nil, nil},
		{"another stream", func(s *StreamConfig) { s.Name = "buys" }, nil, []Event{{Kind: StreamRemoved, Stream: "events"}}},
		{"it was said", func(s *StreamConfig) { s.Name = "buys" }, nil, nil},
	}
	for _, step := range steps {
		if step.before != nil {
			step.before()
		}
		if diff := cmp.Diff(step.want, load(noon, step.change), cmpopts.IgnoreFields(Event{}, "Days")); diff != "" {
			t.Errorf("%s: events (-want +got):\n%s", step.name, diff)
		}
	}
}
