package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"dfinery-kafka/schema"
)

// TestValues_WrongType: a declared type that suits no row registers nothing, so it can be
// corrected. A replay with the right type publishes the rows of the dead letters, and later
// exports do not repeat them.
func TestValues_WrongType(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"avro", "json-typed", "protobuf", "json-schema"} {
		for _, by := range []string{"export", "replay"} {
			t.Run(format+" "+by, func(t *testing.T) {
				t.Parallel()
				registry := registryURL(t)
				b, _ := newAnswering(t, func(int, int) answer {
					return csvOf("text/csv", "df_unified_id,event_name,version\nu1,open,1.2.3\nu2,open,1.2.4\nu2,open,1.2.4\n")
				})
				b.pollEvery("20ms")
				b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", format, "SCHEMA_REGISTRY_URL", registry, "STREAM_EVENTS_COLUMNS", "version:double")
				b.runOnce(0)
				if n, letters := b.countRecords(), b.deadLetters(); n != 0 || len(letters) != 3 || letters[0].Error.Code != schema.BadValue {
					t.Fatalf("%d records and the letters %+v, want a bad_value for each row", n, letters)
				}
				client, err := sr.NewClient(sr.URLs(registry))
				if err != nil {
					t.Fatal(err)
				}
				if subjects, err := client.Subjects(context.Background()); err != nil || strings.Contains(strings.Join(subjects, " "), b.prefix) {
					t.Fatalf("subjects %v, %v, want none for rows that can't be encoded", subjects, err)
				}
				b.set("STREAM_EVENTS_COLUMNS", "version:string")
				if by == "replay" {
					b.pollEvery("1h")
					p := b.start("run")
					p.await(isOwner)
					b.command(nil, "dlq", "replay", "--kind", "row", "--wait", "20s")
					p.kill()
					b.pollEvery("20ms")
				}
				b.runOnce(0)
				if format == "json-typed" {
					registry = ""
				}
				got := b.valuesOf(b.consume("events", kgo.ReadUncommitted()), format, registry)
				compareRows(t, newRows(
					map[string]string{"df_unified_id": "u1", "event_name": "open", "version": "1.2.3"},
					map[string]string{"df_unified_id": "u2", "event_name": "open", "version": "1.2.4"},
					map[string]string{"df_unified_id": "u2", "event_name": "open", "version": "1.2.4"},
				), newRows(got...))
			})
		}
	}
}

// TestValues_TypeCorrected: a type with which rows were published is corrected by a field with
// another name. A replay publishes the rows that the first type refused, and nothing again.
func TestValues_TypeCorrected(t *testing.T) {
	t.Parallel()
	registry := registryURL(t)
	b, _ := newAnswering(t, func(int, int) answer {
		return csvOf("text/csv", "df_unified_id,event_name,version\nu1,open,1.5\nu2,open,1.2.4\nu3,open,\n")
	})
	b.pollEvery("1h")
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", "avro", "SCHEMA_REGISTRY_URL", registry, "STREAM_EVENTS_COLUMNS", "version:double")
	b.runOnce(0)
	b.set("STREAM_EVENTS_COLUMNS", "version:string:version_text")
	p := b.start("run")
	p.await(isOwner)
	b.command(nil, "dlq", "replay", "--kind", "row", "--wait", "20s")
	p.kill()
	b.pollEvery("20ms")
	b.runOnce(0)
	row := func(id, field, cell string) map[string]string {
		return map[string]string{"df_unified_id": id, "event_name": "open", field: cell}
	}
	var got []map[string]string
	for _, value := range b.valuesOf(b.consume("events", kgo.ReadUncommitted()), "avro", registry) {
		if text, ok := value["version"]; ok && value["df_unified_id"] == "u2" { // the Avro field's property names the column
			delete(value, "version")
			value["version_text"] = text
		}
		got = append(got, value)
	}
	compareRows(t, newRows(row("u1", "version", "0x1.8p+00"), row("u2", "version_text", "1.2.4"), map[string]string{"df_unified_id": "u3", "event_name": "open"}), newRows(got...))
}

// TestValues_TokenInCells: the export token that the API sends in cells of a wrong type is in no
// output, also when they are so many that the stream is halted.
func TestValues_TokenInCells(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string]int{"letters": 3, "halt": 1500} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := newAnswering(t, func(int, int) answer {
				return csvOf("text/csv", "df_unified_id,event_name,n\n"+strings.Repeat("u1,open,"+canary+" and "+strings.Repeat("x", 64-12-5-6)+canary+"\n", rows))
			})
			b.pollEvery("1h")
			b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", "json-typed", "STREAM_EVENTS_COLUMNS", "n:long")
			_, got := b.run("run", "--once") // refuses an output with the token
			out, _ := b.run("status")
			if rows > 1000 {
				expectText(t, got.Stderr, "column n: ", "is no long", "[redacted]")
				expectText(t, out, "is no long")
			}
			for _, topic := range []string{"ledger", "dead-letters"} {
				for _, m := range b.consume(topic, kgo.ReadUncommitted()) {
					if strings.Contains(m.Key+m.Value+fmt.Sprint(m.Headers), canary[:6]) {
						t.Fatalf("the token is in the topic %s: %s", topic, m.Value)
					}
				}
			}
		})
	}
}
