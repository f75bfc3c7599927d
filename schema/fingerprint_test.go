package schema_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/schematest"
)

var update = flag.Bool("update", false, "rewrite the golden files; that of the fingerprints must never need it")

func newRow(t *testing.T, names, cells []string) schema.Row {
	t.Helper()
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	return schematest.RowOf(columns, cells)
}

func fingerprint(t *testing.T, names, cells []string) schema.Fingerprint {
	t.Helper()
	row := newRow(t, names, cells)
	return new(schema.Hasher).Row(&row)
}

// golden compares a text with a file in testdata.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	file = "testdata/" + file
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestGoldenFingerprints: rows with these ids are in topics, so no release may change them.
func TestGoldenFingerprints(t *testing.T) {
	long, longer := strings.Repeat("가나다", 50), strings.Repeat("x", 70_000)
	type row struct {
		Columns, Cells []string
		Copy           int
		ID             string
	}
	rows := []row{
		{Columns: []string{"a"}, Cells: []string{""}},
		{Columns: []string{"a"}, Cells: []string{"1"}},
		{Columns: []string{"a"}, Cells: []string{"1"}, Copy: 1},
		{Columns: []string{"a"}, Cells: []string{"1"}, Copy: 41},
		{Columns: []string{"a", "b"}, Cells: []string{"1", "2"}},
		{Columns: []string{"b", "a"}, Cells: []string{"2", "1"}},
		{Columns: []string{"df_unified_id", "event_name", "df_server_datetime", "df_items"},
			Cells: []string{"u-1", "df_purchase", "2026-11-22T09:00:00.123Z", `["foo","bar"]`}},
		{Columns: []string{"이름", "🛍"}, Cells: []string{"김철수", "\x00\xff\r\n\""}},
		{Columns: []string{"a", strings.Repeat("n", 127), strings.Repeat("n", 128)}, Cells: []string{long, long, long[:127]}},
		{Columns: []string{"a"}, Cells: []string{longer}},
	}
	var text strings.Builder
	for _, r := range rows {
		r.ID = string(schema.AppendID(nil, fingerprint(t, r.Columns, r.Cells), r.Copy))
		if cell := r.Cells[0]; len(cell) > 1000 {
			r.Cells = []string{fmt.Sprintf("%d times %s", len(cell), cell[:1])}
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	for _, raw := range []string{"", "a,b", "a,\"b", long, longer} {
		fmt.Fprintf(&text, "bad row of %d bytes: %s\n", len(raw), schema.AppendID(nil, schema.BadFingerprint([]byte(raw)), 0))
	}
	golden(t, "fingerprints", []byte(text.String()))
}

// TestFingerprintStays: neither the order of columns nor empty cells change a fingerprint.
func TestFingerprintStays(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 500 {
		row, cells := schematest.RandomRow(t, rng, schematest.AnyAlphabet())
		names := slices.Clone(row.Columns.Names)
		want := fingerprint(t, names, cells)
		for range rng.IntN(4) {
			at := rng.IntN(len(names) + 1)
			names = slices.Insert(names, at, fmt.Sprintf("empty %d", len(names)))
			cells = slices.Insert(cells, at, "")
		}
		rng.Shuffle(len(names), func(i, j int) {
			names[i], names[j], cells[i], cells[j] = names[j], names[i], cells[j], cells[i]
		})
		for i := len(cells) - 1; i >= 0; i-- {
			if cells[i] == "" && rng.IntN(2) == 0 {
				names, cells = slices.Delete(names, i, i+1), slices.Delete(cells, i, i+1)
			}
		}
		if got := fingerprint(t, names, cells); got != want {
			t.Fatalf("columns %q, cells %q: %x, want %x", names, cells, got, want)
		}
	}
}

// TestFingerprintTellsApart: different rows, many of which have the same bytes at other
// positions, have different fingerprints.
func TestFingerprintTellsApart(t *testing.T) {
	rows := [][2][]string{
		{{"a"}, {""}},
		{{"a"}, {"1"}},
		{{"a"}, {"1 "}},
		{{"a"}, {" 1"}},
		{{"A"}, {"1"}},
		{{"a1"}, {"1"}},
		{{"a"}, {"11"}},
		{{"b"}, {"1"}},
		{{"a", "b"}, {"1", "1"}},
		{{"a", "b"}, {"", "11"}},
		{{"a", "b"}, {"1", "2"}},
		{{"a", "b"}, {"2", "1"}},
		{{"a", "b", "c"}, {"1", "", "2"}},
		{{"a"}, {"1\x01b\x012"}},
		{{"a"}, {"\x00"}},
		{{"a"}, {"\x00\x00"}},
		{{"a"}, {strings.Repeat("\x00", 127)}},
		{{"a"}, {strings.Repeat("\x00", 128)}},
		{{"a\x001"}, {"1"}},
	}
	seen := map[schema.Fingerprint][2][]string{}
	for _, r := range rows {
		f := fingerprint(t, r[0], r[1])
		if other, known := seen[f]; known {
			t.Errorf("%q and %q have the same fingerprint", other, r)
		}
		seen[f] = r
	}
	if f := schema.BadFingerprint(nil); seen[f][0] != nil {
		t.Error("a bad row without bytes has the fingerprint of a row without cells")
	}
}

func FuzzFingerprintOfNeighbours(f *testing.F) {
	f.Add("a", "1", "b", "2", 1)
	f.Add("n", strings.Repeat("v", 40), "m", "", 30)
	f.Fuzz(func(t *testing.T, name, cell, name2, cell2 string, n int) {
		if name == "" || name2 == "" || name == name2 || cell == "" {
			t.Skip()
		}
		n = int(uint(n) % uint(len(cell)))
		names := []string{name, name2}
		whole, moved := fingerprint(t, names, []string{cell, cell2}), fingerprint(t, names, []string{cell[:n], cell[n:] + cell2})
		if whole == moved {
			t.Errorf("%q: %q and %q have the same fingerprint", names, []string{cell, cell2}, []string{cell[:n], cell[n:] + cell2})
		}
		if swapped := fingerprint(t, []string{name2, name}, []string{cell2, cell}); swapped != whole {
			t.Errorf("%q: the order of columns changes the fingerprint of %q", names, []string{cell, cell2})
		}
	})
}

func TestBadHashInPieces(t *testing.T) {
	raw := []byte(strings.Repeat("a,\"b\n", 3000))
	for _, piece := range []int{1, 7, 256, 1024, 4096, len(raw)} {
		h := schema.NewBadHash()
		for part := range slices.Chunk(raw, piece) {
			h.Write(part)
		}
		if diff := cmp.Diff(schema.BadFingerprint(raw), h.Sum()); diff != "" {
			t.Errorf("pieces of %d bytes (-want +got):\n%s", piece, diff)
		}
	}
}

func TestID(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for _, copy := range []int{0, 1, 2, 9, 10, 4_000_000, math.MaxInt32} {
		var f schema.Fingerprint
		for i := range f {
			f[i] = byte(rng.Uint32())
		}
		id := schema.AppendID([]byte("id="), f, copy)[3:]
		got, n, err := schema.ParseID(id)
		if err != nil || got != f || n != copy {
			t.Errorf("%s was made of %x copy %d and read as %x copy %d, %v", id, f, copy, got, n, err)
		}
	}
	valid := string(schema.AppendID(nil, schema.Fingerprint{}, 0))
	for _, id := range []string{
		"", ".", ".1", valid[1:], valid + "A", valid + ".", valid + ".0", valid + ".-1", valid + ".x", valid + ".1.2", valid + "..1",
		valid + " ", "A" + valid, valid[:21] + "=", valid[:21] + "+", valid[:21] + "B", valid + ".99999999999999999999",
	} {
		if f, copy, err := schema.ParseID([]byte(id)); err == nil {
			t.Errorf("%q is read as %x copy %d", id, f, copy)
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAAAA.1")
	f.Add("AAAAAAAAAAAAAAAAAAAAAA.01")
	f.Fuzz(func(t *testing.T, id string) {
		parsed, copy, err := schema.ParseID([]byte(id))
		if err != nil {
			return
		}
		again, n, err := schema.ParseID(schema.AppendID(nil, parsed, copy))
		if err != nil || again != parsed || n != copy {
			t.Errorf("%q is read as %x copy %d, then as %x copy %d, %v", id, parsed, copy, again, n, err)
		}
	})
}
