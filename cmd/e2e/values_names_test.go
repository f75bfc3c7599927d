package e2e

import (
	"fmt"
	"strings"
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestValues_Names publishes 400 columns, some with names that the formats do not allow, and reads
// them back by their original names. Two columns that would become one field halt the stream: the
// message names both, and nothing is published.
func TestValues_Names(t *testing.T) {
	t.Parallel()
	rename := map[string]string{}
	for i, name := range []string{"캠페인 이름", "a-b", "a_x2d_b", "aB", "AB", `a "b"`, "1st", "🛍️ 쿠폰", "message", "a;b"} {
		rename[fmt.Sprintf("custom_%03d", 300+i)] = name
	}
	for _, format := range []string{"avro", "protobuf"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			registry := registryURL(t)
			b := newTestbed(t, &exporttest.Server{
				Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 6, RowsPerDay: 30, Columns: 400},
				Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Rename: rename} },
			})
			b.unlimited()
			b.pollEvery("20ms")
			b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_FORMAT", format, "SCHEMA_REGISTRY_URL", registry, "STREAM_EVENTS_COLUMNS", typedColumns)
			b.runOnce(0)
			var want []map[string]string
			for _, row := range b.servedTyped() {
				for column, name := range rename {
					if cell, ok := row[column]; ok {
						row[name] = cell
						delete(row, column)
					}
				}
				want = append(want, row)
			}
			got := b.publishedTyped(format, registry)
			compareRows(t, newRows(want...), newRows(got...))
			b.set("STREAM_EVENTS_COLUMNS", typedColumns+",a-b:string:aB")
			out := b.runOnce(3)
			if !strings.Contains(out, string(schema.SchemaChanged)) || !strings.Contains(out, "the columns aB and a-b would both be the field aB") {
				t.Errorf("the log does not name the columns: %s", out)
			}
			if n := b.countRecords(); n != len(got) {
				t.Errorf("%d records with columns that collide were published", n-len(got))
			}
		})
	}
}
