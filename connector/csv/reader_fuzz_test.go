package csv_test

import (
	"bytes"
	stdcsv "encoding/csv"
	"io"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/csv"
)

// pieces is a source whose reads return as many bytes as the elements of sizes.
type pieces struct {
	body, sizes []byte
	turn        int
}

func (p *pieces) Read(to []byte) (int, error) {
	if len(p.body) == 0 {
		return 0, io.EOF
	}
	size := 1
	if len(p.sizes) > 0 {
		size += int(p.sizes[p.turn%len(p.sizes)])
		p.turn++
	}
	n := copy(to, p.body[:min(size, len(p.body))])
	p.body = p.body[n:]
	return n, nil
}

// FuzzReader: a body is read equally with reads of any size, the positions of rows are correct, and
// encoding/csv returns the same where both have the same rules.
func FuzzReader(f *testing.F) {
	for _, body := range []string{
		"", "\n", "a,b\n1,2\n", "a,b\r\n1,2\r\n", "\ufeffa\n1\n", "a,b\n\"1\n\",\"\"\"\"\n", "a,b\n\"1,2\n3,4\n5,\"6\"\n", "a,b\n1,2\"\n3\n4,5,6\n7,8",
		"a\n\"x\"y\n\"x\"\r\n\"x\"\ry\n\"x", "a,b\n\xff,\n\"\xc3\n\xa9\",\n", "a,b\n" + "0123456789012345678901234567890123456789,\n,\n", "a\n\\\n\t\n\r\n\r\r\n", "a,b\n\"1\",\"2\"\r",
	} {
		f.Add([]byte(body), []byte{0, 3, 70}, uint8(20))
		f.Add([]byte(body), []byte{}, uint8(200))
	}
	f.Fuzz(func(t *testing.T, body, sizes []byte, most uint8) {
		maxRow := int(most) + 1
		options := csv.Options{MaxRow: maxRow, RecoverQuotes: most%2 == 1}
		r := csv.NewReader(bytes.NewReader(body), options)
		columns, rows, err := read(r)
		columns2, rows2, err2 := read(csv.NewReader(&pieces{body: body, sizes: sizes}, options))
		if diff := cmp.Diff([]any{columns, rows, message(err)}, []any{columns2, rows2, message(err2)}, cmp.Comparer(func(a, b []string) bool { return slices.Equal(a, b) })); diff != "" {
			t.Fatalf("in pieces: %s", diff)
		}
		if err != io.EOF {
			return
		}
		checkPositions(t, body, rows)
		if len(body) <= maxRow && utf8.Valid(body) && !bytes.ContainsAny(body, "\r\ufeff") && r.Repeated() == 0 {
			checkLikeCSV(t, body, columns, rows)
		}
	})
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func checkPositions(t *testing.T, body []byte, rows []seen) {
	for _, row := range rows {
		if row.Bad == nil && !bytes.HasPrefix(body[row.Offset:], []byte(row.Raw)) {
			t.Errorf("%q is not at offset %d", row.Raw, row.Offset)
		}
		if line := 1 + bytes.Count(body[:row.Offset], []byte{'\n'}); line != row.Line {
			t.Errorf("%q is on line %d, not %d", row.Raw, line, row.Line)
		}
		marked := slices.ContainsFunc(row.Cells, func(cell string) bool {
			return bytes.ContainsFunc([]byte(cell), func(c rune) bool { return c < ' ' || c == '"' || c == '\\' })
		})
		if row.Bad == nil && row.Plain == marked {
			t.Errorf("%q: plain is %v", row.Raw, row.Plain)
		}
	}
}

func checkLikeCSV(t *testing.T, body []byte, columns []string, rows []seen) {
	records, err := stdcsv.NewReader(bytes.NewReader(body)).ReadAll()
	bad := slices.ContainsFunc(rows, func(row seen) bool { return row.Bad != nil })
	if bad != (err != nil) {
		t.Fatalf("encoding/csv returns %v; bad rows here: %v", err, bad)
	}
	if err != nil {
		return
	}
	var got [][]string
	if columns != nil {
		got = append(got, columns)
	}
	for _, row := range rows {
		got = append(got, row.Cells)
	}
	if diff := cmp.Diff(records, got); diff != "" {
		t.Errorf("encoding/csv differs: %s", diff)
	}
}
