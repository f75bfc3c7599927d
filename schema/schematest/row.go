// Package schematest generates rows for tests. Only tests import it.
package schematest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"dfinery-kafka/schema"
)

// RowOf returns a row like a CSV reader does: cells with a separator between them.
func RowOf(columns *schema.Columns, cells []string) schema.Row {
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

// RandomRow returns a row whose names and cells have lengths around schema.CopyWidth.
func RandomRow(t *testing.T, rng *rand.Rand, alphabet []string) (schema.Row, []string) {
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
	return RowOf(columns, cells), cells
}

// PlainAlphabet returns texts that need no escapes in JSON.
func PlainAlphabet() []string {
	return []string{"a", "Z", "0", ",", " ", "/", "é", "겨", "🛍", "\x7f", "\u2028", "<&>"}
}

// AnyAlphabet returns those and texts with all kinds of escapes.
func AnyAlphabet() []string {
	return append(PlainAlphabet(), `"`, `\`, "\n", "\r", "\t", "\x00", "\x1f", "abcdefgh")
}
