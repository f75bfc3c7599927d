package exportapi_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exportapi"
	"dfinery-kafka/schema"
)

// The ends of a body.
const (
	whole     = "whole"
	noNewline = "no_newline"
	tooFew    = "too_few_fields"
	openQuote = "unclosed_cell"
	badEnds   = "bad_header"
	empty     = "empty_body"
)

// read is the content of a body: the cells of its rows, the number of bad rows, and its end.
type read struct {
	Rows [][]string
	Bad  int
	End  string
}

// oracle parses a body character by character by RFC 4180. It shares no code with the reader:
// it has the whole body in memory and does not recover from wrong quotes.
func oracle(body string) read {
	body = strings.TrimPrefix(body, "\ufeff")
	var (
		header   []string
		out      read
		cells    []string
		cell     strings.Builder
		isQuoted bool
		any      bool // the current line is not empty
	)
	endLine := func(newline bool) (stop bool) {
		if !any {
			return false
		}
		cells, any = append(cells, cell.String()), false
		cell.Reset()
		line := cells
		cells = nil
		again := append([]string{strings.TrimPrefix(line[0], "\ufeff")}, line[1:]...)
		switch {
		case header == nil:
			header = line
			if !newline {
				out.End = noNewline
			}
		case strings.Join(again, "\x00") == strings.Join(header, "\x00"):
		case !newline:
			out.End = noNewline
		case len(line) != len(header):
			out.Bad++
			if len(line) < len(header) {
				out.End = tooFew // unless more rows follow
			}
			return false
		default:
			out.Rows = append(out.Rows, line)
		}
		if newline {
			out.End = ""
		}
		return out.End != ""
	}
	text := []rune(body)
	at := func(i int) rune {
		if i < len(text) {
			return text[i]
		}
		return -1
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case isQuoted && c == '"' && at(i+1) == '"':
			cell.WriteRune('"')
			i++
		case isQuoted && c == '"':
			isQuoted = false
		case isQuoted:
			cell.WriteRune(c)
		case c == '"':
			isQuoted, any = true, true
		case c == ',':
			cells, any = append(cells, cell.String()), true
			cell.Reset()
		case c == '\r' && at(i+1) == '\n':
		case c == '\r' && at(i+1) == -1:
		case c == '\r' && (header == nil || len(out.Rows)+out.Bad == 0 && !any && cells == nil):
			out.End = badEnds
			return out
		case c == '\n':
			if endLine(true) {
				return out
			}
		default:
			if header != nil && out.End == tooFew {
				out.End = ""
			}
			any = true
			cell.WriteRune(c)
		}
	}
	if isQuoted {
		out.End = openQuote
		return out
	}
	if out.End == tooFew && !any {
		out.Bad-- // the row is incomplete, not bad
		return out
	}
	if endLine(false) {
		return out
	}
	if header == nil {
		out.End = empty
	} else if out.End == "" {
		out.End = whole
	}
	return out
}

// sheet renders rows as CSV in random forms.
type sheet struct {
	*rand.Rand
	header []string
	rows   [][]string
}

func newSheet(random *rand.Rand) *sheet {
	s := &sheet{Rand: random, header: []string{"id", "event", "memo", "currency"}[:2+random.IntN(3)]}
	if random.IntN(6) == 0 {
		s.header[1] = "event, \"quoted\""
	}
	for n := range random.IntN(8) {
		row := []string{fmt.Sprintf("u%d", n)}
		for len(row) < len(s.header) {
			row = append(row, s.value())
		}
		s.rows = append(s.rows, row)
	}
	return s
}

// value returns a cell: plain, empty, or with contents that look like rows, line ends or the
// header.
func (s *sheet) value() string {
	pieces := []string{"", "open", "a,b", `say "hi"`, "\n", "\r\n", "\nfake,purchase,1000000,KRW\n", "\nfake,x\n", "안녕", `"`, `","`, "\n" + strings.Join(s.header, ",") + "\n", "{", "x\ry", "Code: 1. Exception"}
	text := ""
	for range s.IntN(3) {
		text += pieces[s.IntN(len(pieces))]
	}
	return text
}

// form is the form of a rendered sheet.
type form struct {
	lineEnd   string
	quoteAll  bool
	bom       bool
	headers   int  // repeated between the rows
	noNewline bool // at the end
	behind    string
}

func (s *sheet) form() form {
	f := form{lineEnd: "\n", quoteAll: s.IntN(3) == 0, bom: s.IntN(3) == 0, noNewline: s.IntN(4) == 0}
	switch s.IntN(8) {
	case 0, 1, 2:
		f.lineEnd = "\r\n"
	case 3:
		f.lineEnd = []string{"\r", "\r\r\n", "\n\r"}[s.IntN(3)]
	}
	if s.IntN(3) == 0 {
		f.headers = 1 + s.IntN(2)
	}
	if s.IntN(4) == 0 {
		f.behind = []string{"Code: 999. Exception: the query was ended", "error", "two\nlines", "시간 초과", "\n\n", " "}[s.IntN(6)]
	}
	return f
}

// write renders the sheet.
func (s *sheet) write(f form) string {
	var b strings.Builder
	line := func(cells []string, mark bool) {
		if mark && f.bom {
			b.WriteString("\ufeff")
		}
		for i, cell := range cells {
			if i > 0 {
				b.WriteByte(',')
			}
			if f.quoteAll && (!mark || !f.bom || i > 0) || strings.ContainsAny(cell, ",\"\r\n") {
				cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
			}
			b.WriteString(cell)
		}
		b.WriteString(f.lineEnd)
	}
	line(s.header, true)
	for i, row := range s.rows {
		if i > 0 && f.headers > 0 && s.IntN(2) == 0 {
			f.headers--
			line(s.header, s.IntN(2) == 0)
		}
		line(row, false)
	}
	text := b.String()
	if f.noNewline {
		text = strings.TrimSuffix(text, f.lineEnd)
	}
	return text
}

// TestEnds generates bodies of many forms (line ends, quoting, values that look like rows,
// repeated headers, a text after the rows, no last newline), cuts them at random positions,
// and compares the rows, the number of bad rows and the end with the oracle's. No row is
// returned that the sheet does not have before the cut, or more often. ENDS_SEED repeats a
// run, ENDS_BODIES is the number of bodies.
func TestEnds(t *testing.T) {
	seed, bodies := uint64(time.Now().UnixNano()), 3000
	if text := os.Getenv("ENDS_SEED"); text != "" {
		seed, _ = strconv.ParseUint(text, 10, 64)
	}
	if text := os.Getenv("ENDS_BODIES"); text != "" {
		bodies, _ = strconv.Atoi(text)
	}
	t.Logf("ENDS_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	ends := map[string]int{}
	for n := range bodies {
		s := newSheet(random)
		f := s.form()
		text := s.write(f)
		if random.IntN(3) > 0 {
			text = text[:random.IntN(len(text)+1)]
		} else if !f.noNewline { // else the text would be a part of the last value
			text += f.behind
			if random.IntN(2) == 0 && f.behind != "" {
				text += f.lineEnd
			}
		}
		want := oracle(text)
		got := exportOf(t, text, random.IntN(3))
		ends[got.End]++
		if diff := cmp.Diff(want, got, cmp.Transformer("empty", func(rows [][]string) string { return fmt.Sprintf("%q", rows) })); diff != "" {
			t.Fatalf("ENDS_SEED=%d, body %d: %+v\n%q\n(-oracle +reader): %s", seed, n, f, text, diff)
		}
		var known []string
		for _, row := range s.rows {
			known = append(known, fmt.Sprintf("%q", row))
		}
		for i, row := range got.Rows {
			if f.lineEnd != "\n\r" && (i >= len(known) || fmt.Sprintf("%q", row) != known[i]) {
				t.Fatalf("ENDS_SEED=%d, body %d: row %d is %q, the sheet has %q\n%q", seed, n, i, row, known, text)
			}
		}
	}
	for _, end := range []string{whole, noNewline, tooFew, openQuote, badEnds} {
		if ends[end] < bodies/100 {
			t.Errorf("only %d of %d bodies have the end %s: %v", ends[end], bodies, end, ends)
		}
	}
}

// answers is a transport that returns an answer for each request.
type answers func() *http.Response

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	return a(), nil
}

// exportOf returns what the client reads of a body, in reads of one of three sizes.
func exportOf(t *testing.T, text string, pieces int) read {
	api := &exportapi.Client{
		BaseURL: "https://api.test", Service: "1", Token: func() (schema.Secret, error) { return "s3cret", nil },
		Transport: answers(func() *http.Response {
			r := &http.Response{StatusCode: 200, Status: "200 OK", Header: http.Header{"Content-Type": {"text/csv"}}, Body: io.NopCloser(strings.NewReader(text)),
				ContentLength: int64(len(text)), ProtoMajor: 1, ProtoMinor: 1}
			switch pieces {
			case 1:
				r.Body = io.NopCloser(iotest.OneByteReader(strings.NewReader(text)))
			case 2:
				r.Body = io.NopCloser(iotest.DataErrReader(iotest.HalfReader(strings.NewReader(text))))
			}
			return r
		}),
	}
	var out read
	end := func(err error) read {
		var f *schema.Failure
		switch {
		case err == io.EOF:
			out.End = whole
		case !errors.As(err, &f):
			t.Fatal(err)
		case f.Cut != "":
			out.End = string(f.Cut)
		default:
			out.End = string(f.Code)
		}
		if f != nil && f.Cut != "" && f.Request.Rows != int64(len(out.Rows)) {
			t.Fatalf("%d rows in the request's record, %d were returned", f.Request.Rows, len(out.Rows))
		}
		return out
	}
	body, err := api.Export(t.Context(), export(t))
	if err != nil {
		return end(err)
	}
	defer body.Close()
	for {
		row, err := body.Next()
		var bad *schema.BadRow
		if errors.As(err, &bad) {
			out.Bad++
			continue
		}
		if err != nil {
			return end(err)
		}
		cells := make([]string, len(row.Cells))
		for i := range cells {
			cells[i] = string(row.Cell(i))
		}
		out.Rows = append(out.Rows, cells)
	}
}
