package transfer

import (
	"strings"
	"testing"

	"dfinery-kafka/schema"
)

// TestBadRows_TooMany: the row of an export from which too many are bad.
func TestBadRows_TooMany(t *testing.T) {
	for _, c := range []struct {
		name    string
		limit   badRows
		rows    string // g: a good row; else the first letter of the code, or k for one without key; repeated to 4,000 rows
		at      int    // 0: never
		invalid bool   // most of the bad ones are not UTF-8
	}{
		{"all good", badRows{share: 0.5, limited: true}, "g", 0, false},
		{"half", badRows{share: 0.5, limited: true}, "gf", 0, false},
		{"more than half", badRows{share: 0.5, limited: true}, "gff", 1000, false},
		{"not UTF-8", badRows{share: 0.5, limited: true}, "iif", 1000, true},
		{"as many of both", badRows{share: 0.5, limited: true}, "ib", 1000, false},
		{"more only later", badRows{share: 0.5, limited: true}, strings.Repeat("g", 1500) + strings.Repeat("b", 2500), 3001, false},
		{"more only before there are rows enough", badRows{share: 0.5, limited: true}, strings.Repeat("b", 500) + strings.Repeat("g", 3500), 0, false},
		{"more at the first row that is judged", badRows{share: 0.5, limited: true}, strings.Repeat("b", 501) + strings.Repeat("g", 3499), 1000, false},
		{"none allowed", badRows{share: 0, limited: true}, strings.Repeat("g", 3999) + "b", 4000, false},
		{"no key", badRows{share: 0, limited: true}, "k", 0, false},
		{"too large", badRows{share: 0, limited: true}, "t", 0, false},
		{"no limit", badRows{}, "f", 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, at := c.limit, 0
			codes := map[byte]schema.Code{'f': schema.FieldCount, 'b': schema.BadQuotes, 'i': schema.InvalidUTF8, 'k': schema.EmptyKey, 't': schema.TooLarge}
			for i := range 4000 {
				code, isBad := codes[c.rows[i%len(c.rows)]]
				var bad *schema.BadRow
				if isBad {
					bad = &schema.BadRow{Code: code}
				}
				if b.observe(bad); b.tooMany() {
					at = i + 1
					break
				}
			}
			if at != c.at || at > 0 && (2*b.invalid > b.bad) != c.invalid {
				t.Errorf("too many at row %d, want %d; %d of %d bad rows are not UTF-8", at, c.at, b.invalid, b.bad)
			}
			if at > 0 && len(b.examples) != min(b.bad, mostExamples) {
				t.Errorf("%d examples of %d bad rows", len(b.examples), b.bad)
			}
		})
	}
}
