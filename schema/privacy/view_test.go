package privacy_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// FuzzPublicRow: neither a public row nor the memory that it uses contains hidden cells.
func FuzzPublicRow(f *testing.F) {
	f.Add("name", "0105551234", "Seoul", true)
	f.Add("", "", "a\"b\nc", false)
	f.Fuzz(func(t *testing.T, hashed, dropped, kept string, again bool) {
		const mark = "\x01hidden\x02"
		if strings.Contains(kept, "\x01") || strings.Contains(kept, "\x02") {
			t.Skip()
		}
		header := columns(t, "k", "h", "m", "d")
		v := view(t, privacy.Lists{Drop: []string{"d"}, Hash: []string{"h"}, Mask: []string{"m"}}, header)
		var row schema.Row
		for range 2 {
			src := rowOf(header, kept, mark+hashed+mark, mark, mark+dropped+mark)
			if again { // as a reader that has removed quotes returns it
				arrived, err := csv.ParseRow(header, privacy.Render(src))
				if err != nil {
					t.Skip()
				}
				src = arrived
			}
			v.Public(&row, src)
			if bytes.ContainsAny(row.Data[:cap(row.Data)], "\x01\x02") {
				t.Fatalf("a hidden cell is left: %q", row.Data[:cap(row.Data)])
			}
			if !again {
				break
			}
		}
		if got := cellsOf(&row); got["k"] != kept || got["m"] != privacy.Masked || len(got["h"]) != 22 || len(got) != 3 {
			t.Errorf("public row %v", got)
		}
	})
}

// TestHashesAreApart: equal cells of a column have equal hashes. Hashes of different cells,
// columns and keys differ.
func TestHashesAreApart(t *testing.T) {
	header := columns(t, "a", "b", "a\x00b")
	lists := privacy.Lists{Hash: header.Names}
	seen := map[string]string{}
	for _, secret := range []string{secret, strings.Repeat("s", 32), strings.Repeat("s", 33)} {
		v, err := privacy.New(lists, key(t, secret)).View(header)
		if err != nil {
			t.Fatal(err)
		}
		var row schema.Row
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range 20_000 {
			cell := fmt.Sprint(i % 9_000) // more than the cache can keep
			if rng.IntN(10) == 0 {
				cell = strings.Repeat(cell, 12)
			}
			v.Public(&row, rowOf(header, cell, cell, cell))
			for c, name := range header.Names {
				what := fmt.Sprintf("%s/%s/%s", secret, name, cell)
				got := string(row.Cell(c))
				if other, known := seen[got]; known && other != what {
					t.Fatalf("%q and %q have the hash %s", other, what, got)
				}
				seen[got] = what
			}
		}
	}
	byWhat := map[string]string{}
	for hash, what := range seen {
		if other, twice := byWhat[what]; twice {
			t.Fatalf("%q has the hashes %s and %s", what, other, hash)
		}
		byWhat[what] = hash
	}
}

func TestRenderIsRead(t *testing.T) {
	header := columns(t, "a", "b", "c")
	for _, cells := range [][]string{{"1", "2", "3"}, {`say "x"`, "a,b", "line\nbreak"}, {"", "", "x"}, {"cr\r", "한글", `"`}} {
		line := privacy.Render(rowOf(header, cells...))
		row, err := csv.ParseRow(header, line)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		var got []string
		for i := range cells {
			got = append(got, string(row.Cell(i)))
		}
		if diff := cmp.Diff(cells, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", line, diff)
		}
	}
}

func TestPublicAllocates(t *testing.T) {
	header := columns(t, "k", "h", "m", "d")
	v := view(t, privacy.Lists{Drop: []string{"d"}, Hash: []string{"h"}, Mask: []string{"m"}}, header)
	var rows []*schema.Row
	for i := range 64 {
		rows = append(rows, rowOf(header, "key", fmt.Sprint("cell ", i), "m", "d"), rowOf(header, "key", strings.Repeat("long", 30)+fmt.Sprint(i), "m", "d"))
	}
	var row schema.Row
	v.Public(&row, slices.MaxFunc(rows, func(a, b *schema.Row) int { return len(a.Data) - len(b.Data) }))
	if n := testing.AllocsPerRun(100, func() {
		for _, src := range rows {
			v.Public(&row, src)
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d rows", n, len(rows))
	}
}

// BenchmarkPublic makes public rows of 40 columns, three of which are hashed.
func BenchmarkPublic(b *testing.B) {
	names := make([]string, 40)
	for i := range names {
		names[i] = fmt.Sprintf("column_%02d", i)
	}
	header := columns(b, names...)
	for name, distinct := range map[string]int{"cached": 1000, "distinct": 1_000_000} {
		b.Run(name, func(b *testing.B) {
			v := view(b, privacy.Lists{Hash: names[3:6]}, header)
			rng := rand.New(rand.NewPCG(3, 4))
			rows := make([]*schema.Row, min(distinct, 50_000))
			for i := range rows {
				cells := make([]string, len(names))
				for c := range cells {
					if c%2 == 1 || c >= 3 && c < 6 {
						cells[c] = fmt.Sprintf("value %08d", rng.IntN(1<<30))
					}
				}
				rows[i] = rowOf(header, cells...)
			}
			var row schema.Row
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				v.Public(&row, rows[i%len(rows)])
			}
		})
	}
	b.Run("copied", func(b *testing.B) { // without hidden columns rows are only copied
		src := rowOf(header, make([]string, len(names))...)
		src.Data = make([]byte, 370)
		src.Raw = src.Data
		var row schema.Row
		for b.Loop() {
			src.CopyInto(&row)
		}
	})
}
