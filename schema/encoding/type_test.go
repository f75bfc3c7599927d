package encoding

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// cells has cells that each type accepts and refuses, from which the README's table is generated.
var cells = []struct {
	types             string
	accepted, refused []string
}{
	{"long", []string{"5", "0", "-0", "3.00", "-9223372036854775808", "9223372036854775807"},
		[]string{"007", "+5", "5.", ".5", "1e3", "3.01", "9223372036854775808", "-9223372036854775809", " 5", "5 ", "0x1", "-", "1_000", "99999999999999999999"}},
	{"double", []string{"4100", "1.0E10", "-0", "1e-400", "0.1", "1e+5", "123456789012345678901234567890", "-1.7976931348623157e308"},
		[]string{"NaN", "Infinity", "-inf", "1e400", ".5", "5.", "0x1", "007", "+1", "1e", "1,5", "1_0"}},
	{"boolean", []string{"true", "false", "TRUE", "False", "1", "0"}, []string{"yes", "Y", "t", "2", "-1", "tru", "truE ", "\x14rue"}},
	{"date", []string{"2026-02-28", "2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29"},
		[]string{"2026-02-29", "1900-02-29", "0000-00-00", "0000-01-01", "2026-13-01", "2026-04-31", "2026-4-30", "20260430", "2026-04-30T", "２026-04-30"}},
	{"datetime", []string{"2026-11-23T10:58:14Z", "2026-11-23T10:58:14.5Z", "2026-11-23T10:58:14.589Z", "2026-11-23T10:58:14.589000000Z", "2026-11-23T10:58:14+0900",
		"2026-11-23T10:58:14+09:00", "2026-11-23T10:58:14+09", "2026-11-23T10:58:14-18:00", "0001-01-01T00:00:00+18:00"},
		[]string{"2026-11-23T10:58:14", "2026-11-23 10:58:14Z", "2026-11-23T24:00:00Z", "2026-11-23T10:58:60Z", "2026-11-23T10:60:14Z", "2026-11-23T10:58:14.5891Z",
			"2026-11-23T10:58:14.Z", "2026-11-23T10:58:14.5890000000Z", "2026-11-23T10:58:14+18:01", "2026-11-23T10:58:14+9", "2026-11-23T10:58:14+09:60", "2026-11-23T10:58:14+09:0",
			"2026-02-29T00:00:00Z", "2026-11-23t10:58:14Z", "2026-11-23T10:58:14z", "2026-11-23T10:58Z"}},
	{"datetime(6)", []string{"2026-11-23T10:58:14.589123Z", "2026-11-23T10:58:14.589123000Z"}, []string{"2026-11-23T10:58:14.5891234Z"}},
	{"decimal(10,2)", []string{"5", "-0", "12345678.90", "12345678.9000", "-0.01"}, []string{"123456789", "0.001", "1e2", "+1", "007", ".5", "5.", "1,00"}},
	{"decimal(38,0)", []string{strings.Repeat("9", 38), "-" + strings.Repeat("9", 38)}, []string{"1" + strings.Repeat("0", 38)}},
	{"array<string>", []string{"[]", " [ ] ", `["foo","bar"]`, `["가","\ud83d\udecd","\u0000\"\\\/\b\f\n\r\t"]`, "[\t\"a\"\r\n]"},
		[]string{"", "foo", `["foo"`, `["foo",]`, `[null]`, `[["a"]]`, `[1]`, `["\ud83d"]`, `["\udecd\ud83d"]`, "[\"a\nb\"]", `["\x"]`, `["a"] x`, `{"a":1}`, `["a" "b"]`, `[,]`}},
	{"array<long>", []string{"[1,2.0,-3]", "[ 1 , 2 ]"}, []string{`["1"]`, "[01]", "[1,]", "[1e3]", "[1.5]", "[null]", "1"}},
	{"array<double>", []string{"[1,2.5,-3e2]", "[]"}, []string{"[NaN]", "[1e999]", `["1"]`}},
}

func TestType_Accepts(t *testing.T) {
	for _, test := range cells {
		typ, err := ParseType(test.types)
		if err != nil {
			t.Fatal(err)
		}
		for _, cell := range test.accepted {
			if !typ.Accepts([]byte(cell)) {
				t.Errorf("%s refuses %q", typ, cell)
			}
		}
		for _, cell := range test.refused {
			if cell != "" && typ.Accepts([]byte(cell)) {
				t.Errorf("%s accepts %q", typ, cell)
			}
		}
	}
}

func TestParseType(t *testing.T) {
	for _, text := range []string{"string", "long", "double", "boolean", "date", "datetime", "datetime(6)", "decimal(38,38)", "decimal(1,0)", "array<string>", "array<long>", "array<double>"} {
		typ, err := ParseType(text)
		if err != nil || typ.String() != text {
			t.Errorf("%s is read as %s, %v", text, typ, err)
		}
	}
	for _, text := range []string{"", "int", "Long", "decimal", "decimal()", "decimal(0,0)", "decimal(39,0)", "decimal(5,6)", "decimal(5)", "decimal(5,-1)", "array<date>", "array", "datetime(3)"} {
		if typ, err := ParseType(text); err == nil {
			t.Errorf("%q is read as %s", text, typ)
		}
	}
}

var numberForm = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// seeds adds all cells of the table to the corpus.
func seeds(f *testing.F) {
	for _, test := range cells {
		for _, cell := range append(test.accepted, test.refused...) {
			f.Add(cell)
		}
	}
}

func FuzzParseLong(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, cell string) {
		got, ok := parseLong([]byte(cell))
		var want int64
		valid := numberForm.MatchString(cell) && !strings.ContainsAny(cell, "eE")
		if valid {
			r, _ := new(big.Rat).SetString(cell)
			valid = r.IsInt() && r.Num().IsInt64()
			if valid {
				want = r.Num().Int64()
			}
		}
		if ok != valid || ok && got != want {
			t.Errorf("%q: %d %t, want %d %t", cell, got, ok, want, valid)
		}
	})
}

func FuzzParseDouble(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, cell string) {
		got, ok := parseDouble([]byte(cell))
		want, err := strconv.ParseFloat(cell, 64)
		valid := numberForm.MatchString(cell) && err == nil
		if ok != valid || ok && (got != want || 1/got != 1/want) {
			t.Errorf("%q: %v %t, want %v %t", cell, got, ok, want, valid)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, cell string) {
		for _, typ := range []Type{{Decimal, 10, 2}, {Decimal, 38, 0}, {Decimal, 38, 38}, {Decimal, 1, 0}} {
			got, ok := parseDecimal([]byte(cell), typ.Precision, typ.Scale)
			valid := numberForm.MatchString(cell) && !strings.ContainsAny(cell, "eE") && len(cell) < 10_000
			want := new(big.Int)
			if valid {
				r, _ := new(big.Rat).SetString(cell)
				r.Mul(r, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(typ.Scale)), nil)))
				limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(typ.Precision)), nil)
				valid = r.IsInt() && r.Num().CmpAbs(limit) < 0
				want = r.Num()
			}
			if ok != valid || ok && twosComplement(got.appendTo(nil)).Cmp(want) != 0 {
				t.Errorf("%s %q: %x %t, want %v %t", typ, cell, got.appendTo(nil), ok, want, valid)
			}
		}
	})
}

func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

var (
	dateForm     = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	datetimeForm = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|([+-])([0-9]{2})(?::?([0-9]{2}))?)$`)
)

func FuzzParseDate(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, cell string) {
		got, ok := parseDate([]byte(cell))
		day, err := time.Parse(time.DateOnly, cell)
		valid := err == nil && dateForm.MatchString(cell) && day.Year() >= 1
		if ok != valid || ok && got*86400 != day.Unix() {
			t.Errorf("%q: %d %t, want %v %t", cell, got, ok, day, valid)
		}
	})
}

func FuzzParseDatetime(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, cell string) {
		at, valid := referenceDatetime(cell)
		for r, unit := range map[resolution]int64{millis: 1_000_000, micros: 1_000} {
			got, ok := parseDatetime([]byte(cell), r)
			exact := valid && at.Nanosecond()%int(unit) == 0
			want := at.Unix()*(1_000_000_000/unit) + int64(at.Nanosecond())/unit
			if ok != exact || ok && got != want {
				t.Errorf("%q to %d digits: %d %t, want %d %t", cell, r, got, ok, want, exact)
			}
		}
	})
}

func referenceDatetime(cell string) (time.Time, bool) {
	m := datetimeForm.FindStringSubmatch(cell)
	if m == nil {
		return time.Time{}, false
	}
	at, err := time.Parse("2006-01-02T15:04:05.999999999", m[1]+m[2])
	if err != nil || at.Year() < 1 {
		return at, false
	}
	hours, _ := strconv.Atoi(m[5])
	minutes, _ := strconv.Atoi(m[6])
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if m[4] == "+" {
		offset = -offset
	}
	return at.Add(offset), minutes < 60 && offset.Abs() <= 18*time.Hour
}

func FuzzScanArray(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, cell string) {
		if !json.Valid([]byte(cell)) {
			for _, kind := range []Kind{StringArray, LongArray, DoubleArray} {
				if _, ok := scanArray([]byte(cell), kind, nil); ok && strings.ToValidUTF8(cell, "") == cell {
					t.Errorf("%s accepts %q, which is not JSON", Type{Kind: kind}, cell)
				}
			}
			return
		}
		var want []string
		err := json.Unmarshal([]byte(cell), &want)
		var elements []*string
		valid := err == nil && json.Unmarshal([]byte(cell), &elements) == nil && want != nil && !strings.Contains(cell, `\u`) && !strings.ContainsRune(cell, '\ufffd')
		for _, e := range elements {
			valid = valid && e != nil
		}
		var got []string
		_, ok := scanArray([]byte(cell), StringArray, func(e []byte) { got = append(got, string(appendUnquoted(nil, e))) })
		if strings.Contains(cell, `\u`) || strings.ToValidUTF8(cell, "") != cell || strings.ContainsRune(cell, '\ufffd') {
			return // half surrogates become U+FFFD in encoding/json
		}
		if ok != valid || ok && strings.Join(got, "\x00") != strings.Join(want, "\x00") {
			t.Errorf("%q: %q %t, want %q %t", cell, got, ok, want, valid)
		}
	})
}
