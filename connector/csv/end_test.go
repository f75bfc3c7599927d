package csv_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// TestReader_LastRow: whether a bad row is the last one of the body, and what is known of it.
func TestReader_LastRow(t *testing.T) {
	const rows = "a,b,c\n1,2,3\n"
	long := strings.Repeat("\r\n", csv.MaxTail)
	for _, c := range []struct {
		name, behind string
		tooFew, last bool
	}{
		{"too few fields", "text\n", true, true},
		{"too few, no newline", "text", true, true},
		{"too few, then empty lines", "text\r\n\n\r\n", true, true},
		{"too few, then more empty lines than are looked at", "text\n" + long, true, false},
		{"too few, then a row", "text\n4,5,6\n", true, false},
		{"too many", "1,2,3,4\n", false, true},
		{"quotes with few commas", "the \"text\", broken\n", true, true},
		{"quotes with commas enough", "1,2\",3\n", false, true},
		{"not UTF-8, too few", "\xbf\xac\n", true, true},
		{"not UTF-8", "1,2,\xbf\xac\n", false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, src := range []io.Reader{strings.NewReader(rows + c.behind), iotest.OneByteReader(strings.NewReader(rows + c.behind))} {
				r := csv.NewReader(src, csv.Options{})
				if _, err := r.Header(); err != nil {
					t.Fatal(err)
				}
				if _, err := r.Next(); err != nil {
					t.Fatal(err)
				}
				_, err := r.Next()
				var bad *schema.BadRow
				if !errors.As(err, &bad) {
					t.Fatalf("%v, want a bad row", err)
				}
				last := r.Last()
				if tooFew := r.TooFew(bad); tooFew != c.tooFew || last != c.last || string(r.Raw()) != string(bad.Raw) {
					t.Errorf("too few %v, last %v, raw %q", tooFew, last, r.Raw())
				}
			}
		})
	}
}

// TestReader_LastRowOfFailedSource: a row before an error of the source is not the last row.
func TestReader_LastRowOfFailedSource(t *testing.T) {
	cut := errors.New("cut")
	r := csv.NewReader(io.MultiReader(strings.NewReader("a,b\ntext\n\n"), iotest.ErrReader(cut)), csv.Options{})
	if _, err := r.Header(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil || r.Last() {
		t.Errorf("%v is the last row", err)
	}
	if _, err := r.Next(); err != cut {
		t.Errorf("then %v", err)
	}
}

// TestReader_OpenQuote: nothing after a quote that is not closed is a row, wherever the body ends.
// An error of the source there is returned as it is.
func TestReader_OpenQuote(t *testing.T) {
	const body = "a,b\n1,2\n3,\"dear all,\nfake,row\n\"\"fake\"\",row\n"
	for end := strings.Index(body, `"`) + 1; end < len(body); end++ {
		if strings.HasSuffix(body[:end], `"`) && strings.Count(body[:end], `"`)%2 == 0 {
			continue // the first of two quotes may close the cell
		}
		_, rows, err := read(csv.NewReader(iotest.HalfReader(strings.NewReader(body[:end])), csv.Options{}))
		var open *csv.OpenQuoteError
		if !errors.As(err, &open) || open.Line != 3 || open.Offset != 8 || len(rows) != 1 || rows[0].Raw != "1,2" {
			t.Errorf("%q: %d rows, then %v", body[:end], len(rows), err)
		}
		cut := errors.New("cut")
		if _, _, err := read(csv.NewReader(io.MultiReader(strings.NewReader(body[:end]), iotest.ErrReader(cut)), csv.Options{})); err != cut {
			t.Errorf("%q and a failure: %v", body[:end], err)
		}
	}
}
