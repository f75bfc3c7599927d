package schedule

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

func TestWidened(t *testing.T) {
	tests := map[string]struct {
		was, is ledger.Settings
		want    string
	}{
		"the same":             {ledger.Settings{Events: []string{"a"}}, ledger.Settings{Events: []string{"a"}}, ""},
		"one more":             {ledger.Settings{Events: []string{"a"}}, ledger.Settings{Events: []string{"b", "a", "c"}}, "b, c"},
		"one less":             {ledger.Settings{Events: []string{"a", "b"}}, ledger.Settings{Events: []string{"a"}}, ""},
		"no filter any more":   {ledger.Settings{Events: []string{"a", "b"}}, ledger.Settings{}, "all but a, b"},
		"others are left out":  {ledger.Settings{Events: []string{"a"}}, ledger.Settings{ExcludeEvents: []string{"c"}}, "all but a, c"},
		"a filter now":         {ledger.Settings{}, ledger.Settings{Events: []string{"a"}}, ""},
		"fewer are left out":   {ledger.Settings{ExcludeEvents: []string{"a", "b"}}, ledger.Settings{ExcludeEvents: []string{"b"}}, "a"},
		"none is left out":     {ledger.Settings{ExcludeEvents: []string{"a", "b"}}, ledger.Settings{}, "a, b"},
		"left out, then asked": {ledger.Settings{ExcludeEvents: []string{"a"}}, ledger.Settings{Events: []string{"a", "b"}}, "a"},
		"more are left out":    {ledger.Settings{}, ledger.Settings{ExcludeEvents: []string{"a"}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := widened(&test.was, &test.is); got != test.want {
				t.Errorf("widened() = %q, want %q", got, test.want)
			}
		})
	}
}

// Each change of a setting is said once; that settled days lack events until they were exported again.
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
		state.Enter(service, now)
		return events
	}
	lack := func(count int, from, to schema.Day) Event {
		return Event{Kind: DaysLack, Stream: "events", Day: today - from, LastDay: today - to, Count: count, Detail: (today - from).String() + " to " + (today - to).String(),
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
			{Kind: SettingChanged, Stream: "events", Detail: "records have the key l from now on, not k, and may be in other partitions; those published before keep theirs"},
			{Kind: SettingChanged, Stream: "events", Detail: "empty cells are written by _EMPTY=null from now on, not omit; rows published before stay as they are"}, lack(2, 3, 2)}},
		{"another format", func(s *StreamConfig) { wide(s); s.Key, s.Empty, s.Format = "l", schema.EmptyNull, "avro" }, nil, []Event{
			{Kind: SettingChanged, Stream: "events", Detail: "values have the format avro from now on, not json"}, lack(2, 3, 2)}},
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

// TestNarrower: the filter of both lets through what each does.
func TestNarrower(t *testing.T) {
	a, ab, b := []string{"a"}, []string{"a", "b"}, []string{"b"}
	tests := map[string]struct{ one, two, want ledger.Settings }{
		"a list and a part of it":      {ledger.Settings{Events: ab}, ledger.Settings{Events: a}, ledger.Settings{Events: a}},
		"nothing in common":            {ledger.Settings{Events: a}, ledger.Settings{Events: b}, ledger.Settings{Events: []string{}}},
		"all and a list":               {ledger.Settings{}, ledger.Settings{Events: a}, ledger.Settings{Events: a}},
		"all but one and a list":       {ledger.Settings{ExcludeEvents: b}, ledger.Settings{Events: ab}, ledger.Settings{Events: a}},
		"all but one, all but another": {ledger.Settings{ExcludeEvents: b}, ledger.Settings{ExcludeEvents: a}, ledger.Settings{ExcludeEvents: ab}},
	}
	for name, test := range tests {
		for _, got := range []ledger.Settings{narrower(&test.one, &test.two), narrower(&test.two, &test.one)} {
			if diff := cmp.Diff(test.want, got, cmpopts.IgnoreUnexported(ledger.Settings{})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

func lackedBy(s *Stream) string {
	is := s.settings()
	return s.wider.lacked(&is)
}

// TestLacked: days lack what the narrowest filter since their export did not let through.
func TestLacked(t *testing.T) {
	settled := noon.Add(-time.Hour)
	service := new(ledger.Service)
	for i, step := range []struct {
		events []string
		want   string
	}{
		{[]string{"a"}, ""}, {[]string{"a", "b"}, "b"}, {[]string{"a", "b", "c"}, "b, c"}, {[]string{"a", "c"}, "c"}, {[]string{"a"}, ""}, {nil, "all but a"},
		{[]string{"d"}, "d"}, {[]string{"e"}, "e"},
	} {
		now := noon.Add(time.Duration(i) * time.Minute)
		state := New([]StreamConfig{{Name: "events", Kind: schema.Event, Filter: schema.Filter{Events: step.events}, Poll: time.Minute, StartBack: 4}},
			Policy{Service: "1234", Location: planned, CallsPerHour: 100}, now)
		state.Load(service, map[ledger.DayName]ledger.Day{{Stream: "events", Day: today - 4}: {State: ledger.Settled, LastSuccess: &settled, Generation: 1}}, now)
		state.Enter(service, now)
		value, err := json.Marshal(service)
		if err == nil {
			service = new(ledger.Service)
			err = json.Unmarshal(value, service)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := lackedBy(state.Stream("events")); got != step.want {
			t.Errorf("step %d, %v: lacks %q, want %q", i, step.events, got, step.want)
		}
	}
}
