package csv_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/csv"
)

// TestReader_RepeatedHeader: a row that repeats the header, with any quoting and with or without a
// byte order mark, is skipped and counted.
func TestReader_RepeatedHeader(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       []string
		repeated   int
	}{
		{"between rows", "a,b\n1,2\na,b\n3,4\n", []string{"1,2", "3,4"}, 1},
		{"with CRLF", "a,b\n1,2\na,b\r\n3,4\n", []string{"1,2", "3,4"}, 1},
		{"at once", "a,b\na,b\na,b\n1,2\n", []string{"1,2"}, 2},
		{"at the end", "a,b\n1,2\na,b\n", []string{"1,2"}, 1},
		{"at the end without a newline", "a,b\n1,2\na,b", []string{"1,2"}, 1},
		{"alone", "a,b\na,b\n", nil, 1},
		{"with a byte order mark", "\ufeffa,b\n1,2\n\ufeffa,b\n3,4\n", []string{"1,2", "3,4"}, 1},
		{"quoted", "a,b\n\"a\",\"b\"\n1,2\n", []string{"1,2"}, 1},
		{"no longer quoted", "\"a\",\"b\"\na,b\n1,2\n", []string{"1,2"}, 1},
		{"quoted, with a byte order mark", "\ufeff\"a\",\"b\"\n1,2\n\ufeff\"a\",\"b\"\n3,4\n", []string{"1,2", "3,4"}, 1},
		{"the same at the end", "\"a\",\"b\"\n1,2\n\ufeff\"a\",\"b\"", []string{"1,2"}, 1},
		{"with doubled quotes", "\"a\"\"\",b\n1,2\n\"a\"\"\",b\n", []string{"1,2"}, 1},
		{"one column", "a\na\n1\n", []string{"1"}, 1},
		{"in another order", "a,b\nb,a\n", []string{"b,a"}, 0},
		{"the first name alone", "a,b\na,2\n", []string{"a,2"}, 0},
		{"as a prefix", "a,b\na,b2\naa,b\n", []string{"a,b2", "aa,b"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := csv.NewReader(iotest.HalfReader(strings.NewReader(c.body)), csv.Options{})
			_, rows, err := read(r)
			var got []string
			for _, row := range rows {
				if row.Bad != nil {
					t.Errorf("bad row: %v", row.Bad)
				}
				got = append(got, row.Raw)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || err != io.EOF || r.Repeated() != c.repeated {
				t.Errorf("%d repeated, want %d; %v; %s", r.Repeated(), c.repeated, err, diff)
			}
		})
	}
}

// TestReader_LFCR: with lines that end in LF CR the first value of each row would begin with
// CR. The reader refuses the body at the first one.
func TestReader_LFCR(t *testing.T) {
	for body, want := range map[string]string{
		"a,b\n\r1,2\n\r3,4\n\r":     "LF CR",
		"a,b\n\r\"1\",2\n\r3,4\n\r": "LF CR",
		"a,b\n\r1,2":                "LF CR",
		"a,b\n\n\r1,2\n":            "LF CR",
		"a,b\n\r":                   "EOF",
		"a,b\n\r\n1,2\r\n":          "EOF",
		"a,b\n1,2\n\r3,4\n":         "EOF",
	} {
		for _, src := range []io.Reader{strings.NewReader(body), iotest.OneByteReader(strings.NewReader(body))} {
			if _, _, err := read(csv.NewReader(src, csv.Options{})); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q ended with %v, want %s", body, err, want)
			}
		}
	}
}

// TestReader_LineEndsAtOnce: wrong line ends are reported after the first line, without
// reading more of the body.
func TestReader_LineEndsAtOnce(t *testing.T) {
	for _, first := range []string{"a,b\r1", "a,b\r\r\n"} {
		src := io.MultiReader(iotest.OneByteReader(strings.NewReader(first)), unread{t})
		if _, err := csv.NewReader(src, csv.Options{}).Header(); err == nil || !strings.Contains(err.Error(), "lines must end in LF or CRLF") {
			t.Errorf("%q: %v", first, err)
		}
	}
}

type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the reader reads more than the first line")
	return 0, io.EOF
}

// TestReader_LargeRowOfLines: if a row with a value of several lines is too large, no line of the
// value is read as a row.
func TestReader_LargeRowOfLines(t *testing.T) {
	long := strings.Repeat("x", 20)
	for size := range 40 {
		inner := long + "\nfake,row\n" + strings.Repeat("y", size)
		for _, body := range []string{"a,b\n1,\"" + inner + "\"\n3,4\n", "a,b\n\"" + inner + "\"," + long + "\n3,4\n"} {
			_, rows, _ := read(csv.NewReader(strings.NewReader(body), csv.Options{MaxRow: 50}))
			if i := slices.IndexFunc(rows, func(s seen) bool { return s.Raw == "fake,row" }); i >= 0 {
				t.Errorf("%q: a part of a value is read as a row", body)
			}
		}
	}
}
