// Package csv reads the CSV of an export: rows that borrow the reader's memory, bad rows, and
// how the body ended.
//
// A row is returned only when all of it has been read. Whether the last line is cut is up to
// the caller: Unterminated, MaybeTorn, TooFew and Last describe it. The package does no I/O of
// its own and does not depend on HTTP.
package csv

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"dfinery-kafka/schema"
)

const (
	// DefaultMaxRow is the default of Options.MaxRow.
	DefaultMaxRow = 16 << 20
	// maxRowLimit keeps the offsets of a row's cells within 32 bits, also when copies of cells
	// follow the row.
	maxRowLimit = 1 << 30
)

// Reader reads CSV as described by RFC 4180, and preserves the bytes of every value. It
// allocates nothing for a good row, and its memory grows with the longest row, never with the
// body. It skips empty lines, a byte order mark, and rows that repeat the header line.
//
// Beyond the RFC, lines may end in LF alone, and a CR that does not end a line is part of its
// unquoted cell. A Reader is not safe for concurrent use.
type Reader struct {
	src    io.Reader
	srcErr error // sticky
	maxRow int

	columns       *schema.Columns
	clean         func(name string) string // of the header's names
	header        header
	recoverQuotes bool // see Options

	buf     []byte // buf[pos:end] is read and not yet returned; buf[end] is a newline, as split.scan requires
	pos     int
	end     int
	base    int64 // offset of buf[0] in the body
	line    int   // of buf[pos]
	next    int   // the last returned row ends at buf[next], including its line end
	newline int   // lines that it spans
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
	// RecoverQuotes reads the lines after a quote that is never closed as rows. If a body is
	// cut within a value, anyone who can write that value can then inject rows: use it only for
	// a source that is known not to escape quotes.
	RecoverQuotes bool
}

// NewReader returns a Reader of src.
func NewReader(src io.Reader, o Options) *Reader {
	if o.MaxRow <= 0 {
		o.MaxRow = DefaultMaxRow
	}
	r := &Reader{src: src, maxRow: min(o.MaxRow, maxRowLimit), clean: o.CleanName, recoverQuotes: o.RecoverQuotes, line: 1, buf: make([]byte, initialBuffer+block)}
	r.buf[0] = '\n'
	return r
}

// Next returns the next row, which is valid until the following call. Its errors are io.EOF at
// the end of the body; a *schema.BadRow, after which Next continues with the next line; an
// *OpenQuoteError, after which no more rows are read; a *HeaderError for unsupported line ends
// that show only after the header; and an error of the source: the bytes after the last newline
// are then dropped.
func (r *Reader) Next() (*schema.Row, error) {
	for {
		r.pos = r.next
		r.line += r.newline
		r.newline = 0
		r.split = split{cells: r.split.cells}
		out := r.split.scan(r.buf[r.pos:], r.end-r.pos)
		for out == incomplete && r.end-r.pos <= r.maxRow+len("\r\n")-1 {
			if err := r.fill(); err == io.EOF {
				return r.endOfBody()
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

// exception handles the first row after the header, and a row that is malformed or too long. It
// reports whether to skip the line.
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

// tooLong handles a row longer than maxRow. It returns nil if the line is to be skipped.
func (r *Reader) tooLong() error {
	if !r.recoverQuotes && r.hasLongQuote() {
		return r.openQuote(fmt.Sprintf("within %d bytes", r.maxRow))
	}
	return r.resync(incomplete)
}

// More reports whether the end of another line has already been read. Next then returns without
// waiting for the source, unless that newline is within quotes.
func (r *Reader) More() bool { return r.next < r.whole }

// Unterminated reports whether the last row, good or bad, had no newline because the body ended.
func (r *Reader) Unterminated() bool { return r.unterminated }

// Raw is the last row, good or bad, as it arrived, without its line end. Of a row with
// malformed quotes it is the first line. It is valid until the next call.
func (r *Reader) Raw() []byte { return r.row.Raw }

// Line is the number of the line on which the last row, good or bad, starts; the header is line 1.
func (r *Reader) Line() int { return r.line }

// endOfBody handles the end of a body whose last line has no newline.
func (r *Reader) endOfBody() (*schema.Row, error) {
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
	if row == nil && err == nil { // skipped
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

// finish makes a row of raw, whose separators have all been found. It returns nil for a row
// that repeats the header line.
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

// undouble copies the row into scratch, followed by an unescaped copy of each cell that
// contains doubled quotes.
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
			from = from[at+2:] // skip the second quote of the pair: a single one can't occur within a cell
		}
		to = append(to, from...)
		r.row.Cells[i] = schema.Span{Start: uint32(start), End: uint32(len(to))}
	}
	r.scratch, r.row.Data = to, to
}
