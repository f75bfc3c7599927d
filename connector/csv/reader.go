// Package csv reads the CSV of an export: rows that borrow the reader's memory, bad rows, and how the body ended.
//
// A row is handed out only when all of it was read. Reader decides nothing about a last line without a newline: Unterminated and
// MaybeTorn say what is known of it, and the caller judges. The package does no I/O of its own and knows no HTTP.
package csv

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"dfinery-kafka/schema"
)

const (
	// DefaultMaxRow is the longest row that is read when nothing else is said.
	DefaultMaxRow = 16 << 20
	// maxColumns bounds what a header may ask for.
	maxColumns = 1 << 16
	// mostRow keeps the places of a row's cells within 32 bits, also when copies of cells stand behind the row.
	mostRow = 1 << 30
)

// Reader reads a CSV as RFC 4180 describes it, and keeps the bytes of every value. It allocates nothing for a good row, and its memory
// grows with the longest row, never with the body. Wholly empty lines are skipped; a byte order mark is, too.
//
// Beyond the RFC: lines may end in LF alone, and a CR that does not end a line is part of its unquoted cell.
// It is not for use by several goroutines.
type Reader struct {
	src    io.Reader
	srcErr error // sticky
	maxRow int

	columns *schema.Columns
	clean   func(name string) string // of the header's names
	buf     []byte                   // buf[pos:end] was read and is not handed out; buf[end] is a newline, as split.scan wants it
	pos     int
	end     int
	base    int64 // the place of buf[0] in the body
	line    int   // of buf[pos]
	next    int   // the row handed out last ends at buf[next], its line end included
	newline int   // how many lines it took
	whole   int   // buf[:whole] ends with the last newline read

	split        split
	row          schema.Row
	scratch      []byte
	unterminated bool
	failed       bool // Next returned the source's error
}

// Options of a Reader. The zero value is the default.
type Options struct {
	MaxRow    int                      // longest row in bytes, a longer one is a bad row; 0 means DefaultMaxRow, and more than 1 GiB means 1 GiB
	CleanName func(name string) string // applied to the header's names; nil leaves them as they are
}

// NewReader reads src.
func NewReader(src io.Reader, o Options) *Reader {
	if o.MaxRow <= 0 {
		o.MaxRow = DefaultMaxRow
	}
	r := &Reader{src: src, maxRow: min(o.MaxRow, mostRow), clean: o.CleanName, line: 1, buf: make([]byte, firstBuffer+block)}
	r.buf[0] = '\n'
	return r
}

// Header reads the first line, which names the columns; it must be called once, before Next. Its errors are io.EOF for a body without any line,
// a *schema.BadRow for a broken line, a *HeaderError for names that can't be used, and the source's own.
func (r *Reader) Header() (*schema.Columns, error) {
	if err := r.skipBOM(); err != nil {
		return nil, err
	}
	r.split.cells = make([]schema.Span, 256)
	row, err := r.Next()
	if err != nil {
		return nil, err
	}
	if n := r.split.n; n > len(row.Cells) {
		if n > maxColumns {
			return nil, &HeaderError{Reason: fmt.Sprintf("has %d columns, more than %d", n, maxColumns)}
		}
		r.split.cells = make([]schema.Span, n)
		r.next, r.newline = r.pos, 0
		if row, err = r.Next(); err != nil {
			return nil, err
		}
	}
	names := make([]string, len(row.Cells))
	for i := range names {
		names[i] = string(row.Cell(i))
		if r.clean != nil {
			names[i] = r.clean(names[i])
		}
	}
	columns, err := schema.NewColumns(names)
	if err != nil {
		return nil, &HeaderError{Reason: "is wrong: " + err.Error()}
	}
	r.columns = columns
	r.split.cells = make([]schema.Span, len(names))
	return columns, nil
}

// HeaderError is a header line whose names can't be used.
type HeaderError struct{ Reason string }

func (e *HeaderError) Error() string { return "the header line " + e.Reason }

// Next returns the next row, which lives until the call after. Its errors are io.EOF at the body's end, a *schema.BadRow, after which Next
// goes on with the line behind it, and the source's own error when it failed: what stood behind the last newline is dropped then.
func (r *Reader) Next() (*schema.Row, error) {
	for {
		r.pos = r.next
		r.line += r.newline
		r.newline = 0
		r.split = split{cells: r.split.cells}
		out := r.split.scan(r.buf[r.pos:], r.end-r.pos)
		for out == incomplete && r.end-r.pos <= r.maxRow+len("\r\n")-1 {
			if err := r.fill(); err == io.EOF {
				return r.last()
			} else if err != nil {
				r.failed = true
				return nil, err
			}
			out = r.split.scan(r.buf[r.pos:], r.end-r.pos)
		}
		if out != complete {
			return nil, r.resync(out)
		}
		size := r.split.at
		r.next, r.newline = r.pos+size+1, r.split.lines+1
		raw := trimCR(r.buf[r.pos : r.pos+size])
		switch {
		case len(raw) > r.maxRow:
			return nil, r.resync(incomplete)
		case len(raw) > 0:
			return r.finish(raw, len(raw) < size)
		}
	}
}

// More says that the end of another line was read already: Next does not wait for the source then, unless that newline stands within quotes.
func (r *Reader) More() bool { return r.next < r.whole }

// Unterminated says that the last row, good or bad, had no newline: the body ended in its place.
func (r *Reader) Unterminated() bool { return r.unterminated }

// Raw is the last row, good or bad, as it arrived, without its line end: all of it for a good row and the first line for one with broken
// quotes. It lives until the next call.
func (r *Reader) Raw() []byte { return r.row.Raw }

// Line is the number of the line on which the last row, good or bad, began; the header stands on line 1.
func (r *Reader) Line() int { return r.line }

// MaybeTorn says that bad, the last row of a body that ended without a newline, may be the beginning of a good row.
func (r *Reader) MaybeTorn(bad *schema.BadRow) bool {
	switch bad.Code {
	case schema.FieldCount:
		return r.split.n < len(r.columns.Names)
	case schema.BadQuotes:
		return r.split.state == quoted
	case schema.InvalidUTF8:
		return r.split.n < len(r.columns.Names) || endsWithinRune(r.row.Raw)
	}
	return false
}

func endsWithinRune(raw []byte) bool {
	for n := 1; n <= min(utf8.UTFMax, len(raw)); n++ {
		if last := raw[len(raw)-n:]; utf8.RuneStart(last[0]) {
			return !utf8.FullRune(last)
		}
	}
	return false
}

// last ends a body that ended without a newline.
func (r *Reader) last() (*schema.Row, error) {
	size := r.end - r.pos
	raw := trimCR(r.buf[r.pos:r.end])
	if len(raw) == 0 {
		return nil, io.EOF
	}
	s := &r.split
	switch {
	case s.state == closed && s.quote+1 != len(raw):
		return nil, r.resync(broken)
	case s.state == quoted || len(raw) > r.maxRow:
		return nil, r.resync(incomplete)
	}
	r.unterminated = true
	r.next, r.newline = r.end, s.lines
	return r.finish(raw, len(raw) < size)
}

// finish makes a row of raw, all of whose separators were found.
func (r *Reader) finish(raw []byte, cr bool) (*schema.Row, error) {
	s := &r.split
	s.endCell(len(raw))
	if cr {
		s.marks--
	}
	r.row = schema.Row{
		Columns: r.columns, Cells: s.cells[:min(s.n, len(s.cells))], Data: raw, Raw: raw,
		Line: r.line, Offset: r.base + int64(r.pos), Plain: s.marks == 0 && !s.doubled,
	}
	if s.high != 0 && !utf8.Valid(raw) {
		return nil, r.row.Bad(schema.InvalidUTF8, schema.OriginCSV, "the row is not valid UTF-8", "not valid UTF-8")
	}
	if r.columns != nil && s.n != len(r.columns.Names) {
		return nil, r.row.Bad(schema.FieldCount, schema.OriginCSV, "the row has not as many fields as the header",
			fmt.Sprintf("%d fields, the header has %d", s.n, len(r.columns.Names)))
	}
	if s.doubled {
		r.undouble()
	}
	return &r.row, nil
}

// undouble makes a scratch copy of the row, and behind it one of each cell that has doubled quotes, with single ones.
func (r *Reader) undouble() {
	raw := r.row.Raw
	to := append(r.scratch[:0], raw...)
	for i, cell := range r.row.Cells {
		if cell.Start == 0 || raw[cell.Start-1] != '"' {
			continue
		}
		from := raw[cell.Start:cell.End]
		at := bytes.IndexByte(from, '"')
		if at < 0 {
			continue
		}
		start := len(to)
		for ; at >= 0; at = bytes.IndexByte(from, '"') {
			to = append(to, from[:at+1]...)
			from = from[at+2:] // without the other quote of the pair: no single one stands within a cell
		}
		to = append(to, from...)
		r.row.Cells[i] = schema.Span{Start: uint32(start), End: uint32(len(to))}
	}
	r.scratch, r.row.Data = to, to
}
