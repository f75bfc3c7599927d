// Package csv reads the CSV of an export: rows that borrow the reader's memory, bad rows, and how the body ended.
//
// A row is handed out only when all of it was read. Whether a last line is cut is the caller's to judge: Unterminated, MaybeTorn, TooFew and
// Last say what is known of it. The package does no I/O of its own and knows no HTTP.
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
	// mostRow keeps the places of a row's cells within 32 bits, also when copies of cells follow the row.
	mostRow = 1 << 30
)

// Reader reads a CSV as RFC 4180 describes it, and keeps the bytes of every value. It allocates nothing for a good row, and its memory
// grows with the longest row, never with the body. It skips wholly empty lines, a byte order mark, and rows that repeat the header line.
//
// Beyond the RFC: lines may end in LF alone, and a CR that does not end a line is part of its unquoted cell.
// It is not for use by several goroutines.
type Reader struct {
	src    io.Reader
	srcErr error // sticky
	maxRow int

	columns       *schema.Columns
	clean         func(name string) string // of the header's names
	header        header
	recoverQuotes bool // see Options

	buf     []byte // buf[pos:end] was read and is not handed out; buf[end] is a newline, as split.scan requires
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
	// RecoverQuotes reads the lines behind a quote that is never closed as rows. Then anyone who can write a value can place rows when a body is cut
	// within it: only for a source that is known to leave quotes unescaped.
	RecoverQuotes bool
}

// NewReader reads src.
func NewReader(src io.Reader, o Options) *Reader {
	if o.MaxRow <= 0 {
		o.MaxRow = DefaultMaxRow
	}
	r := &Reader{src: src, maxRow: min(o.MaxRow, mostRow), clean: o.CleanName, recoverQuotes: o.RecoverQuotes, line: 1, buf: make([]byte, firstBuffer+block)}
	r.buf[0] = '\n'
	return r
}

// Next returns the next row, which is valid until the next call. Its errors are io.EOF at the body's end; a *schema.BadRow, after which Next
// goes on with the line behind it; an *OpenQuoteError, behind which no rows are read; a *HeaderError for line ends that show only behind the
// header; and the source's own error when it failed: what was behind the last newline is dropped then.
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
		size := r.split.at
		raw := trimCR(r.buf[r.pos : r.pos+size])
		if out != complete || len(raw) > r.maxRow || r.header.follows {
			if skip, err := r.exception(out, len(raw)); err != nil {
				return nil, err
			} else if skip {
				continue
			}
		}
		r.next, r.newline = r.pos+size+1, r.split.lines+1
		if len(raw) > 0 {
			if row, err := r.finish(raw, len(raw) < size); row != nil || err != nil {
				return row, err
			}
		}
	}
}

// exception handles the first row behind the header, and a row that is incomplete or has the wrong number of fields. It reports a line to be skipped.
func (r *Reader) exception(out outcome, size int) (skip bool, err error) {
	if r.header.follows {
		if err := r.checkFirstRow(); err != nil {
			return false, err
		}
	}
	switch {
	case out == broken && r.split.at <= r.maxRow:
		return true, r.resync(broken)
	case out != complete || size > r.maxRow:
		return true, r.tooLong()
	}
	return false, nil
}

// tooLong handles a row longer than maxRow. It returns nil for a line to be skipped.
func (r *Reader) tooLong() error {
	if !r.recoverQuotes && r.hasLongQuote() {
		return r.openQuote(fmt.Sprintf("within %d bytes", r.maxRow))
	}
	return r.resync(incomplete)
}

// More says that the end of another line was read already: Next does not wait for the source then, unless that newline is within quotes.
func (r *Reader) More() bool { return r.next < r.whole }

// Unterminated says that the last row, good or bad, had no newline: the body ended in its place.
func (r *Reader) Unterminated() bool { return r.unterminated }

// Raw is the last row, good or bad, as it arrived, without its line end: all of it for a good row and the first line for one with broken
// quotes. It lives until the next call.
func (r *Reader) Raw() []byte { return r.row.Raw }

// Line is the number of the line on which the last row, good or bad, began; the header is line 1.
func (r *Reader) Line() int { return r.line }

// last ends a body that ended without a newline.
func (r *Reader) last() (*schema.Row, error) {
	if r.header.follows {
		if err := r.checkFirstRow(); err != nil {
			return nil, err
		}
	}
	size := r.end - r.pos
	raw := trimCR(r.buf[r.pos:r.end])
	if len(raw) == 0 {
		return nil, io.EOF
	}
	row, err := r.lastRow(raw, len(raw) < size)
	if row == nil && err == nil { // it was skipped
		r.pos = r.end
		return nil, io.EOF
	}
	return row, err
}

func (r *Reader) lastRow(raw []byte, cr bool) (*schema.Row, error) {
	s := &r.split
	switch {
	case s.state == closed && s.quote+1 != len(raw):
		return nil, r.resync(broken)
	case s.state == quoted && !r.recoverQuotes:
		return nil, r.openQuote("by the end of the body")
	case s.state == quoted:
		return nil, r.resync(incomplete)
	case len(raw) > r.maxRow:
		return nil, r.tooLong()
	}
	r.unterminated = true
	r.next, r.newline = r.end, s.lines
	return r.finish(raw, cr)
}

// finish makes a row of raw, all of whose separators were found; nil for one that repeats the header line.
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
	if first := r.row.Cells[0].End - r.row.Cells[0].Start; first-r.header.first <= uint32(len(bom)) && r.repeatsHeader() {
		r.header.repeated++
		return nil, nil
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
			from = from[at+2:] // without the other quote of the pair: no single one occurs within a cell
		}
		to = append(to, from...)
		r.row.Cells[i] = schema.Span{Start: uint32(start), End: uint32(len(to))}
	}
	r.scratch, r.row.Data = to, to
}
