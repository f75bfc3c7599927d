package encoding_test

import (
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/schematest"
)

func newRow(t *testing.T, names, cells []string) schema.Row {
	t.Helper()
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	return schematest.RowOf(columns, cells)
}

// encode appends the row's value to dst.
func encode(t *testing.T, dst []byte, row *schema.Row, empty schema.Empty) []byte {
	t.Helper()
	encoder := encoding.JSON{Empty: empty}
	if err := encoder.Header(t.Context(), row.Columns); err != nil {
		t.Fatal(err)
	}
	value, err := encoder.Append(dst, row)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

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
