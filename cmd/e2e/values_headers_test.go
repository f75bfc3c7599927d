package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
)

// TestValues_Headers: cells and the attributes of CloudEvents are written as headers of records;
// keys and values do not change.
func TestValues_Headers(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 9, RowsPerDay: 300, Duplicates: 0.05}})
	b.set("STREAM_EVENTS_HEADERS", "event_name,df_platform", "STREAM_EVENTS_CLOUDEVENTS", "true")
	b.runOnce(0)
	b.compareEvents()
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		var cells map[string]string
		if err := json.Unmarshal([]byte(m.Value), &cells); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{
			"event_name": cells["event_name"], "df_platform": cells["df_platform"], "ce_type": cells["event_name"], "ce_time": cells["df_server_datetime"],
			"ce_id": m.ID, "ce_source": "/" + m.day(), "ce_specversion": "1.0", "content-type": "application/json",
		}
		for name, value := range want {
			if m.Headers[name] != value {
				t.Fatalf("header %s is %q, want %q, in %s", name, m.Headers[name], value, m.Value)
			}
		}
	}
	b.set("STREAM_EVENTS_HEADERS", "export")
	if _, got := b.run("run", "--once"); got.Code != 2 || !strings.Contains(got.Stderr, "STREAM_EVENTS_HEADERS") {
		t.Errorf("a reserved name: exit %d: %s", got.Code, got.Stderr)
	}
}
