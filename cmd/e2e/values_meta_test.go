package e2e

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// TestValues_Meta adds the contents of a record's headers to its value, in formats with and
// without a schema, and uses two columns as the key: each row is published once, even with a
// crash, in the partition of its key.
func TestValues_Meta(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "avro", "protobuf"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			registry := ""
			b := newTyped(t, format, registry)
			if format == "json" {
				delete(b.environ, "STREAM_EVENTS_COLUMNS")
			} else {
				registry = registryURL(t)
				b.set("SCHEMA_REGISTRY_URL", registry)
			}
			b.set("STREAM_EVENTS_META", "true", "STREAM_EVENTS_KEY", "df_unified_id, event_name", "STREAM_EVENTS_START", "2")
			b.crash("flushed", 3, "run")
			b.runOnce(0)
			messages := b.consume("events", kgo.ReadUncommitted())
			values := b.valuesOf(messages, format, registry)
			for i, m := range messages {
				value, where := values[i], strings.Split(m.day(), "/")
				for name, want := range map[string]string{"_id": m.ID, "_service": where[0], "_stream": where[1], "_day": where[2]} {
					if got := strings.TrimSuffix(value[name], "T00:00:00Z"); got != want {
						t.Fatalf("%s is %q, want %q", name, got, want)
					}
					delete(value, name)
				}
				key, err := json.Marshal([]string{value["df_unified_id"], value["event_name"]})
				if err != nil {
					t.Fatal(err)
				}
				if m.Key != string(key) || int(m.Partition) != cluster.PartitionOf(key, partitions) {
					t.Fatalf("key %s in partition %d, want %s in %d", m.Key, m.Partition, key, cluster.PartitionOf(key, partitions))
				}
			}
			served := b.servedTyped()
			if format == "json" {
				served = nil
				for _, r := range b.served(schema.Event) {
					served = append(served, r.cells())
				}
			}
			compareRows(t, newRows(served...), newRows(values...))
		})
	}
}

// TestValues_MetaCollides: a column with the name of an added one is refused where it is declared,
// and halts the stream if it occurs in a header.
func TestValues_MetaCollides(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 20, Header: func(_ schema.Day, _ int, columns []string) []string {
		return append(columns, "_day")
	}}})
	b.set("STREAM_EVENTS_META", "true", "STREAM_EVENTS_FORMAT", "json-typed", "STREAM_EVENTS_COLUMNS", "a:string:_id")
	if _, got := b.run("run", "--once"); got.Code != 2 || !strings.Contains(got.Stderr, "STREAM_EVENTS_COLUMNS: names _id") {
		t.Errorf("exit %d: %s", got.Code, got.Stderr)
	}
	b.set("STREAM_EVENTS_COLUMNS", "")
	out := b.runOnce(3)
	if !strings.Contains(out, "schema_changed") || !strings.Contains(out, "the export has a column _day, which STREAM_EVENTS_META adds, too") {
		t.Errorf("the log does not say why: %s", out)
	}
	if n := b.countRecords(); n > 0 {
		t.Errorf("%d records are published", n)
	}
}

// cells returns the cells of the row by their columns.
func (r row) cells() map[string]string {
	cells := map[string]string{}
	for text := range strings.SplitSeq(strings.TrimSuffix(string(r), "\xff"), "\xff") {
		column, cell, _ := strings.Cut(text, "\xfe")
		cells[column] = cell
	}
	return cells
}
