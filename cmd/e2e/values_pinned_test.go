package e2e

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"

	"dfinery-kafka/schema"
)

// TestValues_Pinned: with schemas that only somebody else registers, a missing one halts the stream.
// preview shows what to register, and with that the stream continues.
func TestValues_Pinned(t *testing.T) {
	t.Parallel()
	kinds := map[string]sr.SchemaType{"avro": sr.TypeAvro, "protobuf": sr.TypeProtobuf, "json-schema": sr.TypeJSON}
	for format, kind := range kinds {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			registry := registryURL(t)
			client, err := sr.NewClient(sr.URLs(registry))
			if err != nil {
				t.Fatal(err)
			}
			b, _ := newAnswering(t, func(int, int) answer {
				return csvOf("text/csv", "df_unified_id,event_name,visits,secret\nu1,open,5,a\nu2,open,,b\n")
			})
			b.pollEvery("20ms")
			b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", format, "STREAM_EVENTS_COLUMNS", "visits:long", "SCHEMA_REGISTRY_URL", registry, "STREAM_EVENTS_META", "true", "STREAM_EVENTS_DROP", "secret", "PRIVACY_KEY_FILE", writeKey(t, privacySecret), "SCHEMA_REGISTRY_REGISTER", "false")
			expectText(t, b.runOnce(3), string(schema.SchemaUnknown), "preview --json")
			b.expectNoSubjects(registry)
			shown := b.preview(1, "events", "--day", currentDay().String())
			if strings.Contains(shown.Schema, "secret") {
				t.Errorf("the schema has a dropped column: %s", shown.Schema)
			}
			if _, err := client.CreateSchema(t.Context(), shown.Subject, sr.Schema{Schema: shown.Schema, Type: kind}); err != nil {
				t.Fatal(err)
			}
			b.command(nil, "resume", "events")
			b.runOnce(0)
			if n := b.countRecords(); n != 2 {
				t.Errorf("%d records are published with the schema that was registered by hand, want 2", n)
			}
		})
	}
}
