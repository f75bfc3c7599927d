package schema_test

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/zeebo/xxh3"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/schematest"
)

func TestFingerprintIsWhatItsDefinitionSays(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h schema.Hasher
	for range 3000 {
		row, cells := schematest.RandomRow(t, rng, schematest.AnyAlphabet())
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
