package encoding_test

import (
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

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

func newRow(t *testing.T, names, cells []string) schema.Row {
	t.Helper()
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	return rowOf(columns, cells)
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

// randomRow has names and cells of all lengths around those that are copied in one piece.
func randomRow(t *testing.T, rng *rand.Rand, alphabet []string) (schema.Row, []string) {
	t.Helper()
	text := func(n int) string {
		var b strings.Builder
		for b.Len() < n {
			b.WriteString(alphabet[rng.IntN(len(alphabet))])
		}
		return b.String()
	}
	names, cells := make([]string, 1+rng.IntN(12)), []string{}
	for i := range names {
		names[i] = fmt.Sprint(text(rng.IntN(50)), i)
		cells = append(cells, "")
		if rng.IntN(3) > 0 {
			cells[i] = text(rng.IntN(140))
		}
	}
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	return rowOf(columns, cells), cells
}

// plainAlphabet needs no escapes, the other one has all kinds of them.
var (
	plainAlphabet = []string{"a", "Z", "0", ",", " ", "/", "é", "겨", "🛍", "\x7f", "\u2028", "<&>"}
	anyAlphabet   = append(slices.Clone(plainAlphabet), `"`, `\`, "\n", "\r", "\t", "\x00", "\x1f", "abcdefgh")
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
