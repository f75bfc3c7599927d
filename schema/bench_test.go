package schema_test

import (
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// benchRows are rows as a wide export has them: 40 columns, about 370 bytes, every second cell empty.
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
		rows[i] = rowOf(columns, cells)
		rows[i].Plain = true
	}
	return rows
}

// rowOf is a row as a CSV reader hands it out: cells with a separator between them.
func rowOf(columns *schema.Columns, cells []string) schema.Row {
	row := schema.Row{Columns: columns}
	for i, cell := range cells {
		if i > 0 {
			row.Data = append(row.Data, ',')
		}
		start := uint32(len(row.Data))
		row.Data = append(row.Data, cell...)
		row.Cells = append(row.Cells, schema.Span{Start: start, End: uint32(len(row.Data))})
	}
	return row
}

func BenchmarkFingerprint(b *testing.B) {
	rows := benchRows(b)
	var h schema.Hasher
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		h.Row(&rows[i%len(rows)])
	}
}
