package schema_test

import (
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/schematest"
)

// benchRows returns rows of a wide export: 40 columns, about 370 bytes, every second cell empty.
func benchRows(b *testing.B) []schema.Row {
	b.Helper()
	day := schema.Day(20780)
	table := exporttest.Data{Seed: 1, RowsPerDay: 1000}.Export(exporttest.Query{Kind: schema.Event, From: day, To: day, Export: 1})
	columns, err := schema.NewColumns(table.Columns)
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]schema.Row, len(table.Rows))
	for i, cells := range table.Rows {
		rows[i] = schematest.RowOf(columns, cells)
		rows[i].Plain = true
	}
	return rows
}

func BenchmarkFingerprint(b *testing.B) {
	rows := benchRows(b)
	var h schema.Hasher
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Row(&rows[i%len(rows)])
	}
}
