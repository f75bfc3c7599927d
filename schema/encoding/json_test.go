package encoding_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
	"dfinery-kafka/schema/schematest"
)

func TestJSONBytes(t *testing.T) {
	long := strings.Repeat("0123456789", 5)
	tests := map[string]struct {
		names, cells        []string
		omit, null, asEmpty string
	}{
		"nothing":           {[]string{}, []string{}, `{}`, `{}`, `{}`},
		"all empty":         {[]string{"a", "b"}, []string{"", ""}, `{}`, `{"a":null,"b":null}`, `{"a":"","b":""}`},
		"order of header":   {[]string{"b", "a"}, []string{"1", "2"}, `{"b":"1","a":"2"}`, `{"b":"1","a":"2"}`, `{"b":"1","a":"2"}`},
		"first empty":       {[]string{"a", "b"}, []string{"", "2"}, `{"b":"2"}`, `{"a":null,"b":"2"}`, `{"a":"","b":"2"}`},
		"last empty":        {[]string{"a", "b"}, []string{"1", ""}, `{"a":"1"}`, `{"a":"1","b":null}`, `{"a":"1","b":""}`},
		"no number":         {[]string{"a"}, []string{"007"}, `{"a":"007"}`, `{"a":"007"}`, `{"a":"007"}`},
		"HTML stays":        {[]string{"a"}, []string{"<&>\u2028"}, "{\"a\":\"<&>\u2028\"}", "{\"a\":\"<&>\u2028\"}", "{\"a\":\"<&>\u2028\"}"},
		"escapes":           {[]string{`n"\`}, []string{"\"\\/\n\r\t\b\x00\x7f"}, `{"n\"\\":"\"\\/\n\r\t\u0008\u0000` + "\x7f\"}", `{"n\"\\":"\"\\/\n\r\t\u0008\u0000` + "\x7f\"}", `{"n\"\\":"\"\\/\n\r\t\u0008\u0000` + "\x7f\"}"},
		"JSON within":       {[]string{"a"}, []string{`["x"]`}, `{"a":"[\"x\"]"}`, `{"a":"[\"x\"]"}`, `{"a":"[\"x\"]"}`},
		"longer than a cut": {[]string{long}, []string{long}, `{"` + long + `":"` + long + `"}`, `{"` + long + `":"` + long + `"}`, `{"` + long + `":"` + long + `"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			row := newRow(t, test.names, test.cells)
			for _, plain := range []bool{false, true} {
				if plain && strings.ContainsAny(strings.Join(test.cells, ""), "\"\\\n\r\t\b\x00") {
					continue
				}
				row.Plain = plain
				for empty, want := range map[schema.Empty]string{schema.EmptyOmit: test.omit, schema.EmptyNull: test.null, schema.EmptyString: test.asEmpty} {
					if diff := cmp.Diff("x"+want, string(encode(t, []byte("x"), &row, empty))); diff != "" {
						t.Errorf("%s, plain %v (-want +got):\n%s", empty, plain, diff)
					}
				}
			}
		})
	}
}

// FuzzJSON decodes the encoder's output with encoding/json and compares the cells byte by byte.
func FuzzJSON(f *testing.F) {
	f.Add("name", "value", "other", "", 0)
	f.Add("이름", "\"\\\x00\u2028🛍", "<&>", "1234567\x1f", 1)
	f.Add("n", strings.Repeat("v", 31), strings.Repeat("m", 32), strings.Repeat("w", 33), 2)
	f.Fuzz(func(t *testing.T, name, cell, name2, cell2 string, form int) {
		names, cells := []string{name, name2}, []string{cell, cell2}
		if name == "" || name2 == "" || name == name2 {
			t.Skip()
		}
		for _, s := range []string{name, name2, cell, cell2} {
			if !utf8.ValidString(s) {
				t.Skip() // such a row is a dead letter
			}
		}
		row := newRow(t, names, cells)
		empty := []schema.Empty{schema.EmptyOmit, schema.EmptyNull, schema.EmptyString}[uint(form)%3]
		encoded := encode(t, nil, &row, empty)
		want := map[string]any{}
		plain := true
		for i := range names {
			switch {
			case cells[i] != "" || empty == schema.EmptyString:
				want[names[i]] = cells[i]
			case empty == schema.EmptyNull:
				want[names[i]] = nil
			}
			plain = plain && !strings.ContainsFunc(cells[i], func(r rune) bool { return r < 0x20 || r == '"' || r == '\\' })
		}
		got := map[string]any{}
		if err := json.Unmarshal(encoded, &got); err != nil {
			t.Fatalf("%q: %v", encoded, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", encoded, diff)
		}
		if row.Plain = plain; plain {
			if diff := cmp.Diff(string(encoded), string(encode(t, nil, &row, empty))); diff != "" {
				t.Errorf("a row that is marked as plain is encoded differently:\n%s", diff)
			}
		}
	})
}

func TestJSONIsReadAsTheCells(t *testing.T) {
	for _, c := range []struct {
		name     string
		alphabet []string
		plain    bool
	}{
		{"plain", schematest.PlainAlphabet(), true},
		{"plain, not known to be", schematest.PlainAlphabet(), false},
		{"with escapes", schematest.AnyAlphabet(), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(3, 4))
			for range 2000 {
				row, cells := schematest.RandomRow(t, rng, c.alphabet)
				row.Plain = c.plain
				for _, empty := range []schema.Empty{schema.EmptyOmit, schema.EmptyNull, schema.EmptyString} {
					want := map[string]any{}
					for i, name := range row.Columns.Names {
						switch {
						case cells[i] != "" || empty == schema.EmptyString:
							want[name] = cells[i]
						case empty == schema.EmptyNull:
							want[name] = nil
						}
					}
					const before = "what stood there"
					value, ok := strings.CutPrefix(string(encode(t, []byte(before), &row, empty)), before)
					got := map[string]any{}
					if err := json.Unmarshal([]byte(value), &got); err != nil || !ok {
						t.Fatalf("%s: %v: %s", empty, err, value)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Fatalf("%s: %s\n%s", empty, diff, value)
					}
				}
			}
		})
	}
}

func BenchmarkJSON(b *testing.B) {
	rows := benchRows(b)
	for _, c := range []struct {
		name  string
		plain bool
	}{{"plain", true}, {"escaped", false}} {
		b.Run(c.name, func(b *testing.B) {
			for i := range rows {
				rows[i].Plain = c.plain
			}
			var encoder encoding.Encoder = &encoding.JSON{Empty: schema.EmptyOmit}
			if err := encoder.Header(b.Context(), rows[0].Columns); err != nil {
				b.Fatal(err)
			}
			var (
				dst []byte
				err error
			)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if dst, err = encoder.Append(dst[:0], &rows[i%len(rows)]); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(int64(len(dst)))
		})
	}
}
