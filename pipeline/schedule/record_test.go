package schedule

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestSaveTo_UnknownMembers: SaveTo keeps members that this release does not know, and
// entries of streams that are not configured.
func TestSaveTo_UnknownMembers(t *testing.T) {
	later := map[string]any{"later": "x"}
	of := func(more map[string]any) map[string]any {
		stream := map[string]any{"later": "x"}
		for key, value := range more {
			stream[key] = value
		}
		return map[string]any{"events": stream, "removed": later}
	}
	record := map[string]any{
		"streams":  of(map[string]any{"identity": (&StreamConfig{Kind: schema.Event, Topic: "t"}).Identity()}),
		"columns":  of(map[string]any{"accepted": []string{"id"}}),
		"settings": map[string]any{"events": map[string]any{"later": "x"}},
		"due_from": of(map[string]any{"start": "4"}),
		"cuts":     map[string]any{"events": map[string]any{today.String(): map[string]any{"cut": "no_newline", "later": "x"}}},
	}
	text, err := json.Marshal(record)
	must(err)
	service := new(ledger.Service)
	must(json.Unmarshal(text, service))
	state := New([]StreamConfig{{Name: "events", Kind: schema.Event, Topic: "t", Poll: time.Minute, StartBack: 4}}, *testPolicy(), noon)
	state.Load(service, map[ledger.DayName]ledger.Day{{Stream: "events", Day: today}: {State: ledger.Pending, Generation: 1}}, noon)
	state.Advance(noon)
	state.SaveTo(service, noon)
	text, err = json.Marshal(service)
	must(err)
	var written map[string]any
	must(json.Unmarshal(text, &written))
	for _, part := range []string{"streams", "columns", "settings", "due_from"} {
		streams, _ := written[part].(map[string]any)
		if one, _ := streams["events"].(map[string]any); one["later"] != "x" {
			t.Errorf("%s of the stream have lost a member: %v", part, one)
		}
		if one, _ := streams["removed"].(map[string]any); one["later"] != "x" && part != "settings" {
			t.Errorf("%s of a stream that is not configured: %v", part, one)
		}
	}
	cuts, _ := written["cuts"].(map[string]any)
	days, _ := cuts["events"].(map[string]any)
	if diff := cmp.Diff(map[string]any{today.String(): map[string]any{"cut": "no_newline", "later": "x"}}, days); diff != "" {
		t.Errorf("cuts (-want +got):\n%s", diff)
	}
}
