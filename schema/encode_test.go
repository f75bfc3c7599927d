package schema_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"dfinery-kafka/schema"
)

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

func TestFingerprintIsWhatItsDefinitionSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h schema.Hasher
	for range 3000 {
		row, cells := randomRow(t, rng, anyAlphabet)
		order := make([]int, len(cells))
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(row.Columns.Names[a], row.Columns.Names[b]) })
		var b []byte
		for _, i := range order {
			if cells[i] == "" {
				continue
			}
			for _, part := range []string{row.Columns.Names[i], cells[i]} {
				b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
			}
		}
		if got, want := h.Row(&row), schema.Fingerprint(xxh3.Hash128(b).Bytes()); got != want {
			t.Fatalf("columns %q, cells %q: %x, want %x", row.Columns.Names, cells, got, want)
		}
	}
}
