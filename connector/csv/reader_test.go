package csv_test

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// seen is a copy of a row that a reader returned.
type seen struct {
	Cells        []string
	Raw          string
	Line         int
	Offset       int64
	Plain        bool
	Unterminated bool
	Bad          *schema.BadRow
}

func read(r *csv.Reader) (columns []string, rows []seen, err error) {
	header, err := r.Header()
	if err != nil {
		return nil, nil, err
	}
	for {
		row, err := r.Next()
		var bad *schema.BadRow
		switch {
		case errors.As(err, &bad):
			if bad.Columns != header {
				return header.Names, rows, errors.New("a bad row without its columns")
			}
			bad.Columns = nil
			rows = append(rows, seen{Raw: string(r.Raw()), Line: bad.Line, Offset: bad.Offset, Unterminated: r.Unterminated(), Bad: bad})
		case err != nil:
			return header.Names, rows, err
		default:
			s := seen{Raw: string(row.Raw), Line: row.Line, Offset: row.Offset, Plain: row.Plain, Unterminated: r.Unterminated()}
			for i := range row.Cells {
				s.Cells = append(s.Cells, string(row.Cell(i)))
			}
			rows = append(rows, s)
		}
	}
}

func TestReader(t *testing.T) {
	bad := func(code schema.Code, message, detail, raw string, line int, offset int64) *schema.BadRow {
		return &schema.BadRow{Code: code, Origin: schema.OriginCSV, Message: message, Detail: detail, Line: line, Offset: offset,
			Raw: []byte(raw), RawBytes: int64(len(raw)), Hash: schema.BadFingerprint([]byte(raw))}
	}
	quotes := func(at, raw string, line int, offset int64) *schema.BadRow {
		return bad(schema.BadQuotes, "the row's quotes are wrong", at, raw, line, offset)
	}
	fields := func(detail, raw string, line int, offset int64) *schema.BadRow {
		return bad(schema.FieldCount, "the row has not as many fields as the header", detail, raw, line, offset)
	}
	const maxRow = 300
	open := "a quote is not closed by the end of the body, nor within 300 bytes"
	long, largest := strings.Repeat("x", 200), strings.Repeat("y", 298)+",1"
	for _, c := range []struct {
		name    string
		body    string
		recover bool
		want    []seen
	}{
		{name: "rows", body: "a,b\n1,2\n3,\n,\n", want: []seen{
			{Cells: []string{"1", "2"}, Raw: "1,2", Line: 2, Offset: 4, Plain: true},
			{Cells: []string{"3", ""}, Raw: "3,", Line: 3, Offset: 8, Plain: true},
			{Cells: []string{"", ""}, Raw: ",", Line: 4, Offset: 11, Plain: true}}},
		{name: "header alone", body: "a,b\n"},
		{name: "byte order mark", body: "\ufeffa,b\n1,2\n", want: []seen{{Cells: []string{"1", "2"}, Raw: "1,2", Line: 2, Offset: 7, Plain: true}}},
		{name: "CRLF", body: "a,b\r\n1,2\r\n\r\n\"3\",\"4\"\r\n", want: []seen{
			{Cells: []string{"1", "2"}, Raw: "1,2", Line: 2, Offset: 5, Plain: true},
			{Cells: []string{"3", "4"}, Raw: `"3","4"`, Line: 4, Offset: 12, Plain: true}}},
		{name: "a bare CR stays", body: "a,b\n1\r1,2\r\r\n", want: []seen{{Cells: []string{"1\r1", "2\r"}, Raw: "1\r1,2\r", Line: 2, Offset: 4}}},
		{name: "empty lines", body: "\n\na,b\n\n1,2\n\n", want: []seen{{Cells: []string{"1", "2"}, Raw: "1,2", Line: 5, Offset: 7, Plain: true}}},
		{name: "quoted", body: "a,b\n\"1,1\",\"\"\n\"\"\"\",\"x\"\"y\"\n", want: []seen{
			{Cells: []string{"1,1", ""}, Raw: `"1,1",""`, Line: 2, Offset: 4, Plain: true},
			{Cells: []string{`"`, `x"y`}, Raw: `"""","x""y"`, Line: 3, Offset: 13}}},
		{name: "doubled quotes beside plain cells", body: "a,b\nplain,\"a\"\"b\"\"\"\n", want: []seen{
			{Cells: []string{"plain", `a"b"`}, Raw: `plain,"a""b"""`, Line: 2, Offset: 4}}},
		{name: "quoted line ends keep their bytes", body: "a,b\n\"1\r\n2\",\"\n\"\n3,4\n", want: []seen{
			{Cells: []string{"1\r\n2", "\n"}, Raw: "\"1\r\n2\",\"\n\"", Line: 2, Offset: 4},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 5, Offset: 15, Plain: true}}},
		{name: "what JSON escapes", body: "a,b\n\\,2\n\t,2\n\"\\\",2\n", want: []seen{
			{Cells: []string{`\`, "2"}, Raw: `\,2`, Line: 2, Offset: 4},
			{Cells: []string{"\t", "2"}, Raw: "\t,2", Line: 3, Offset: 8},
			{Cells: []string{`\`, "2"}, Raw: `"\",2`, Line: 4, Offset: 12}}},
		{name: "other letters", body: "a,b\né,漢字\n", want: []seen{{Cells: []string{"é", "漢字"}, Raw: "é,漢字", Line: 2, Offset: 4, Plain: true}}},
		{name: "no newline at the end", body: "a,b\n1,2", want: []seen{{Cells: []string{"1", "2"}, Raw: "1,2", Line: 2, Offset: 4, Plain: true, Unterminated: true}}},
		{name: "half a CRLF at the end", body: "a,b\n1,\"2\"\r", want: []seen{{Cells: []string{"1", "2"}, Raw: `1,"2"`, Line: 2, Offset: 4, Plain: true, Unterminated: true}}},
		{name: "fields", body: "a,b\n1\n1,2,3\n1,2\n", want: []seen{
			{Raw: "1", Line: 2, Offset: 4, Bad: fields("line 2: 1 fields, the header has 2", "1", 2, 4)},
			{Raw: "1,2,3", Line: 3, Offset: 6, Bad: fields("line 3: 3 fields, the header has 2", "1,2,3", 3, 6)},
			{Cells: []string{"1", "2"}, Raw: "1,2", Line: 4, Offset: 12, Plain: true}}},
		{name: "a quote in an unquoted cell", body: "a,b\n1,2\"\n3,4\n", want: []seen{
			{Raw: `1,2"`, Line: 2, Offset: 4, Bad: quotes("line 2: the quotes are wrong at byte 4 of the row", `1,2"`, 2, 4)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 3, Offset: 9, Plain: true}}},
		{name: "text behind a quoted cell", body: "a,b\n\"1\"x,2\n3,4\n", want: []seen{
			{Raw: `"1"x,2`, Line: 2, Offset: 4, Bad: quotes("line 2: the quotes are wrong at byte 5 of the row", `"1"x,2`, 2, 4)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 3, Offset: 11, Plain: true}}},
		{name: "a backslash behind a quoted cell", body: "a,b\n\"1\"\\,2\n", want: []seen{
			{Raw: `"1"\,2`, Line: 2, Offset: 4, Bad: quotes("line 2: the quotes are wrong at byte 4 of the row", `"1"\,2`, 2, 4)}}},
		{name: "text behind a quoted cell and a CR", body: "a,b\n1,\"2\"\rx\n", want: []seen{
			{Raw: "1,\"2\"\rx", Line: 2, Offset: 4, Bad: quotes("line 2: the quotes are wrong at byte 8 of the row", "1,\"2\"\rx", 2, 4)}}},
		{name: "a stray quote takes its own line alone", body: "a,b\n\"1,2\r\n3,4\n5,\"6\"\n", want: []seen{
			{Raw: `"1,2`, Line: 2, Offset: 4, Bad: quotes("line 2: the quotes are wrong at byte 15 of the row", `"1,2`, 2, 4)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 3, Offset: 10, Plain: true},
			{Cells: []string{"5", "6"}, Raw: `5,"6"`, Line: 4, Offset: 14, Plain: true}}},
		{name: "never closed", recover: true, body: "a,b\n\"1,2\n3,4\n", want: []seen{
			{Raw: `"1,2`, Line: 2, Offset: 4, Bad: quotes("line 2: "+open, `"1,2`, 2, 4)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 3, Offset: 9, Plain: true}}},
		{name: "never closed in the last line", recover: true, body: "a,b\n1,\"2", want: []seen{
			{Raw: `1,"2`, Line: 2, Offset: 4, Unterminated: true, Bad: quotes("line 2: "+open, `1,"2`, 2, 4)}}},
		{name: "not closed within the largest row", recover: true, body: "a,b\n\"1,2\n" + long + ",\n" + long + ",\n\",\"\n", want: []seen{
			{Raw: `"1,2`, Line: 2, Offset: 4, Bad: quotes("line 2: "+open, `"1,2`, 2, 4)},
			{Cells: []string{long, ""}, Raw: long + ",", Line: 3, Offset: 9, Plain: true},
			{Cells: []string{long, ""}, Raw: long + ",", Line: 4, Offset: 211, Plain: true},
			{Raw: `","`, Line: 5, Offset: 413, Bad: fields("line 5: 1 fields, the header has 2", `","`, 5, 413)}}},
		{name: "the largest row", body: "a,b\n" + largest + "\r\n", want: []seen{
			{Cells: []string{largest[:298], "1"}, Raw: largest, Line: 2, Offset: 4, Plain: true}}},
		{name: "too large", body: "a,b\n" + long + long + ",1\r\n3,4\n", want: []seen{
			{Raw: long + long + ",1", Line: 2, Offset: 4, Bad: bad(schema.TooLarge, "the row is too large", "line 2: 402 bytes, at most 300 are read", long+long+",1", 2, 4)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 3, Offset: 408, Plain: true}}},
		{name: "too large, with a quote", recover: true, body: "a,b\n\"" + long + long + ",1\n3,4\n", want: []seen{
			{Raw: `"` + long + long + ",1", Line: 2, Offset: 4, Bad: bad(schema.TooLarge, "the row is too large", "line 2: 403 bytes, at most 300 are read", `"`+long+long+",1", 2, 4)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 3, Offset: 408, Plain: true}}},
		{name: "too large, with CRs", body: "a,b\n" + long + "\r" + long + "\r\r\n3,4\n", want: []seen{
			{Raw: long + "\r" + long + "\r", Line: 2, Offset: 4, Bad: bad(schema.TooLarge, "the row is too large", "line 2: 402 bytes, at most 300 are read", long+"\r"+long+"\r", 2, 4)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 3, Offset: 408, Plain: true}}},
		{name: "too large, at the end", body: "a,b\n" + long + long, want: []seen{
			{Raw: long + long, Line: 2, Offset: 4, Unterminated: true, Bad: bad(schema.TooLarge, "the row is too large", "line 2: 400 bytes, at most 300 are read", long+long, 2, 4)}}},
		{name: "not UTF-8", body: "a,b\n1,\xff\n\"\xc3\",\n3,4\n", want: []seen{
			{Raw: "1,\xff", Line: 2, Offset: 4, Bad: bad(schema.InvalidUTF8, "the row is not valid UTF-8", "line 2: not valid UTF-8", "1,\xff", 2, 4)},
			{Raw: "\"\xc3\",", Line: 3, Offset: 8, Bad: bad(schema.InvalidUTF8, "the row is not valid UTF-8", "line 3: not valid UTF-8", "\"\xc3\",", 3, 8)},
			{Cells: []string{"3", "4"}, Raw: "3,4", Line: 4, Offset: 13, Plain: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for name, src := range map[string]io.Reader{
				"whole": strings.NewReader(c.body), "bytes": iotest.OneByteReader(strings.NewReader(c.body)),
				"halves": iotest.HalfReader(strings.NewReader(c.body)), "end with data": iotest.DataErrReader(strings.NewReader(c.body)),
			} {
				columns, rows, err := read(csv.NewReader(src, csv.Options{MaxRow: maxRow, RecoverQuotes: c.recover}))
				if err != io.EOF {
					t.Errorf("%s: ended with %v", name, err)
				}
				if diff := cmp.Diff([]string{"a", "b"}, columns); diff != "" {
					t.Errorf("%s: columns: %s", name, diff)
				}
				if diff := cmp.Diff(c.want, rows, cmp.Comparer(func(a, b []string) bool { return slices.Equal(a, b) })); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}
}

func TestReaderHeader(t *testing.T) {
	wide := strings.Repeat("c,", 1<<16) + "c"
	for _, c := range []struct{ name, body, want string }{
		{"nothing", "", "EOF"},
		{"empty lines", "\n\r\n", "EOF"},
		{"half a byte order mark", "\xef\xbb", "invalid_utf8: line 1: not valid UTF-8"},
		{"doubled", "a,b,a\n", `the header line is wrong: column "a" occurs twice`},
		{"no name", "a,\n", "the header line is wrong: column 2 has no name"},
		{"quotes", "a,b\"\n", "bad_quotes: line 1: the quotes are wrong at byte 4 of the row"},
		{"too many", wide + "\n", "the header line has 65537 columns, more than 65536"},
		{"CR alone", "a,b\r1,2\r3,4\r", "the header line ends in CR alone; lines must end in LF or CRLF"},
		{"CR alone behind quotes", "\"a\r\n\",b\r1,2\r", "the header line ends in CR alone; lines must end in LF or CRLF"},
		{"CR alone, then LF", "a,b\r1,2\n", "the header line ends in CR alone; lines must end in LF or CRLF"},
		{"two CRs, no LF", "a,b\r\r1,2\r\r", "the header line ends in CR alone; lines must end in LF or CRLF"},
		{"CR CR LF", "a,b\r\r\n1,2\r\r\n", "the header line ends in CR CR LF; lines must end in LF or CRLF"},
		{"CR CR LF behind an empty line", "\r\na,b\r\r\n", "the header line ends in CR CR LF; lines must end in LF or CRLF"},
		{"a tab", "a\tb\n", "the header line has the control character U+0009 in the name of column 1; the line ends in LF"},
		{"NEL", "a,b\u00851,2\u0085", "the header line has the control character U+0085 in the name of column 2; no line end was found"},
		{"LINE SEPARATOR", "a,b\u20281,2\r\n", "the header line has the control character U+2028 in the name of column 2; the line ends in CRLF"},
		{"an open quote", "a,\"b\n1,2\n", "line 1: a quote is not closed by the end of the body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := csv.NewReader(iotest.HalfReader(strings.NewReader(c.body)), csv.Options{}).Header()
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	t.Run("quoted line breaks", func(t *testing.T) {
		columns, _, err := read(csv.NewReader(strings.NewReader("\"a\r\n\",\"\n\"\r\n"), csv.Options{}))
		if err != io.EOF || !slices.Equal(columns, []string{"a\r\n", "\n"}) {
			t.Errorf("columns %q, %v", columns, err)
		}
	})
	t.Run("many columns", func(t *testing.T) {
		var names []string
		for i := range 1000 {
			names = append(names, strings.Repeat("n", i+1))
		}
		values := append([]string{"1"}, names[1:]...)
		body := strings.Join(names, ",") + "\n" + strings.Join(values, ",") + "\n"
		columns, rows, err := read(csv.NewReader(iotest.HalfReader(strings.NewReader(body)), csv.Options{}))
		if err != io.EOF || !slices.Equal(columns, names) || len(rows) != 1 || !slices.Equal(rows[0].Cells, values) {
			t.Errorf("read %d columns, %d rows, %v", len(columns), len(rows), err)
		}
	})
}

// TestReaderCut: before an error of the source exactly the complete rows are returned, then
// the error, repeatedly.
func TestReaderCut(t *testing.T) {
	const body = "a,b\n1,2\n\"3\n\",\"4\"\"\"\r\n5,6\"\n7,8\n"
	whole := map[int]string{8: "1,2", 20: "\"3\n\",\"4\"\"\"", 25: `5,6"`, 29: "7,8"}
	cut := errors.New("cut")
	for size := 4; size <= len(body); size++ {
		var want, got []string
		for at := range size + 1 {
			if raw, ok := whole[at]; ok {
				want = append(want, raw)
			}
		}
		r := csv.NewReader(io.MultiReader(strings.NewReader(body[:size]), iotest.ErrReader(cut)), csv.Options{})
		_, rows, err := read(r)
		for _, row := range rows {
			got = append(got, row.Raw)
		}
		if diff := cmp.Diff(want, got); diff != "" || err != cut {
			t.Errorf("cut after %d bytes: %v, %s", size, err, diff)
		}
		if _, err := r.Next(); err != cut {
			t.Errorf("cut after %d bytes: then %v", size, err)
		}
	}
}

func (noProgress) Read([]byte) (int, error) { return 0, nil }

func (endlessLetters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
