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

// TestNarrower: the combination of two filters selects what both of them select.
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

// TestLacked: days lack the events that the narrowest filter since their export excluded.
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
		state.SaveTo(service, now)
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
