package schedule

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestUnknownNames: a name in the filter is reported once if no row has had it since it was
// configured.
func TestUnknownNames(t *testing.T) {
	filter := schema.Filter{Events: []string{"df_login", "df_purchse"}, Properties: []string{"df_order_id", "df_discont"}}
	met := ledger.Settings{Events: filter.Events, Properties: filter.Properties, PropertiesMet: []string{"df_order_id"}}
	since, later := noon.Add(-48*time.Hour), noon.Add(-time.Hour)
	met.NamesSince = &since
	event := func(kind NameKind, name, near string) Event {
		return Event{Kind: NameUnknown, Stream: "events", EventName: name, NameKind: kind, Near: near, Count: 3}
	}
	for name, test := range map[string]struct {
		kind    schema.Kind
		change  func(*ledger.Service, map[schema.Day]ledger.Day, *StreamConfig)
		want    []Event
		pending schema.Day
	}{
		"all days are exported": {want: []Event{event("event", "df_purchse", "df_purchase"), event("property", "df_discont", "df_discount")}},
		"the nearest occurs in another stream": {change: func(s *ledger.Service, _ map[schema.Day]ledger.Day, _ *StreamConfig) {
			s.Streams["buys"] = ledger.Stream{Events: []string{"df_purchses"}}
		}, want: []Event{event("event", "df_purchse", "df_purchses"), event("property", "df_discont", "df_discount")}},
		"an empty column of the name": {change: func(s *ledger.Service, _ map[schema.Day]ledger.Day, _ *StreamConfig) {
			kept := s.Streams["events"]
			kept.Columns = []string{"df_discont", "event_name"}
			s.Streams["events"] = kept
		}, want: []Event{event("event", "df_purchse", "df_purchase"), event("property", "df_discont", "")}},
		"a day is missing": {change: func(_ *ledger.Service, days map[schema.Day]ledger.Day, _ *StreamConfig) { delete(days, today-1) }},
		"a day is older than the names": {change: func(_ *ledger.Service, days map[schema.Day]ledger.Day, _ *StreamConfig) {
			d, before := days[today-1], since.Add(-time.Minute)
			d.LastSuccess = &before
			days[today-1] = d
		}},
		"a name is new": {change: func(_ *ledger.Service, _ map[schema.Day]ledger.Day, s *StreamConfig) {
			s.Filter.Events = append([]string{"df_new"}, s.Filter.Events...)
		}},
		"a ledger of an earlier release": {change: func(s *ledger.Service, _ map[schema.Day]ledger.Day, _ *StreamConfig) { s.Settings = nil }},
		"today alone":                    {change: func(_ *ledger.Service, _ map[schema.Day]ledger.Day, s *StreamConfig) { s.StartBack = 0 }},
		"no row at all": {change: func(_ *ledger.Service, days map[schema.Day]ledger.Day, _ *StreamConfig) {
			for at, d := range days {
				d.Rows = 0
				days[at] = d
			}
		}, want: []Event{event("event", "df_purchse", "df_purchase")}},
		"every name occurs": {change: func(s *ledger.Service, _ map[schema.Day]ledger.Day, config *StreamConfig) {
			config.Filter = schema.Filter{Events: []string{"df_login"}, Properties: []string{"df_order_id"}}
		}},
	} {
		service := &ledger.Service{Settings: map[string]ledger.Settings{"events": met}, Streams: map[string]ledger.Stream{"events": {Events: []string{"df_login"}, HasRows: true}}}
		days := map[schema.Day]ledger.Day{}
		for at := today - 2; at <= today; at++ {
			days[at] = ledger.Day{State: ledger.Open, LastSuccess: &later, Rows: 5, Published: 5, Generation: 1}
		}
		config := StreamConfig{Name: "events", Kind: schema.Event, Filter: filter, Poll: time.Minute, StartBack: 2}
		if test.change != nil {
			test.change(service, days, &config)
		}
		named := map[ledger.DayName]ledger.Day{}
		for at, d := range days {
			named[ledger.DayName{Stream: "events", Day: at}] = d
		}
		state := New([]StreamConfig{config, {Name: "buys", Kind: schema.Event, Poll: time.Minute, StartBack: 2}}, Policy{Service: "1234", Location: planned, CallsPerHour: 100}, noon)
		state.Load(service, named, noon)
		if diff := cmp.Diff(test.want, state.UnknownNames(noon)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if again := state.UnknownNames(noon); again != nil {
			t.Errorf("%s: reported twice: %v", name, again)
		}
	}
}
