package csv

import (
	"bytes"
	"errors"
	"fmt"
	"unicode"

	"dfinery-kafka/schema"
)

// maxColumns limits the memory that a header can request.
const maxColumns = 1 << 16

// header is what the reader stores about the header line.
type header struct {
	names    []string // as they are in the body
	raw      []byte
	first    uint32 // length of the first name: few rows have a first cell of about that length
	lineEnd  string // LF or CRLF; empty for a header that ends with the body
	follows  bool   // the first row after the header was not yet read
	repeated int    // rows skipped because they repeat the header
}

// HeaderError reports a header line whose names can't be used, or an unsupported kind of line end.
type HeaderError struct {
	Reason string
	Public string // the reason without the names in the header; empty where Reason has none
	Final  bool   // not the result of cutting a good header
}

func (e *HeaderError) Error() string { return "the header line " + e.Reason }

// Header reads the first line, which names the columns. It must be called once, before Next.
// Its errors are io.EOF for a body without any line, a *schema.BadRow for a malformed line, a
// *HeaderError for names or line ends that can't be used, an *OpenQuoteError, and errors of the
// source.
func (r *Reader) Header() (*schema.Columns, error) {
	if err := r.skipBOM(); err != nil {
		return nil, err
	}
	if err := r.readLineEnd(); err != nil {
		return nil, err
	}
	row, err := r.headerRow()
	if err != nil {
		return nil, err
	}
	names, cleaned := make([]string, len(row.Cells)), make([]string, len(row.Cells))
	for i := range names {
		names[i] = string(row.Cell(i))
		cleaned[i] = names[i]
		if r.clean != nil {
			cleaned[i] = r.clean(names[i])
		}
	}
	if err := r.checkNames(names); err != nil {
		return nil, err
	}
	columns, err := schema.NewColumns(cleaned)
	if err != nil {
		return nil, wrongNames(err)
	}
	r.columns = columns
	r.split.cells = make([]schema.Span, len(names))
	r.header.names, r.header.raw, r.header.first, r.header.follows = names, bytes.Clone(row.Raw), uint32(len(names[0])), true
	return columns, nil
}

func wrongNames(err error) *HeaderError {
	e := &HeaderError{Reason: "is wrong: " + err.Error()}
	if twice, ok := errors.AsType[*schema.DoubledError](err); ok {
		e.Public = fmt.Sprintf("is wrong: columns %d and %d have the same name", twice.First, twice.Second)
	}
	return e
}

// headerRow reads the header line as a row of any number of cells.
func (r *Reader) headerRow() (*schema.Row, error) {
	r.split.cells = make([]schema.Span, 256)
	row, err := r.Next()
	if err != nil {
		return nil, err
	}
	n := r.split.n
	if n <= len(row.Cells) {
		return row, nil
	}
	if n > maxColumns {
		return nil, &HeaderError{Final: true, Reason: fmt.Sprintf("has %d columns, more than %d", n, maxColumns)}
	}
	r.split.cells = make([]schema.Span, n)
	r.next, r.newline = r.pos, 0
	return r.Next()
}

// checkNames refuses control characters: they are line ends or separators of another format,
// and would become part of the field names of every record. A quoted line break is part of its
// name.
func (r *Reader) checkNames(names []string) error {
	for i, name := range names {
		for _, c := range name {
			if c == '\n' || c == '\r' || !unicode.IsControl(c) && c != '\u2028' && c != '\u2029' {
				continue
			}
			ends := "no line end was found"
			if r.header.lineEnd != "" {
				ends = "the line ends in " + r.header.lineEnd
			}
			return &HeaderError{Final: true, Reason: fmt.Sprintf("has the control character %U in the name of column %d; %s", c, i+1, ends)}
		}
	}
	return nil
}

// readLineEnd finds the line end of the header. It refuses one that would make the rest of the
// body part of the header, or put a CR into names. It needs only the bytes of the first line,
// however long the body is. A body that ends or fails earlier is handled by Next.
func (r *Reader) readLineEnd() error {
	inQuotes, begun := false, false
	for at := 0; at <= r.maxRow; at++ {
		c, ok := r.byteAt(at)
		if !ok {
			return nil
		}
		switch {
		case c == '"':
			inQuotes, begun = !inQuotes, true
		case inQuotes || c != '\n' && c != '\r':
			begun = true
		case c == '\n' && begun:
			r.header.lineEnd = "LF"
			return nil
		case c == '\r':
			end := r.lineEndAt(at)
			if end != "" && end != "CRLF" {
				return &HeaderError{Final: true, Reason: "ends in " + end + "; lines must end in LF or CRLF"}
			}
			if begun || end == "" {
				r.header.lineEnd = end
				return nil
			}
			at++
		}
	}
	return nil
}

// lineEndAt names the line end that starts with the CR at this index; empty if the body ends
// after it.
func (r *Reader) lineEndAt(at int) string {
	switch next, ok := r.byteAt(at + 1); {
	case !ok:
		return ""
	case next == '\n':
		return "CRLF"
	case next == '\r':
		if third, ok := r.byteAt(at + 2); ok && third == '\n' {
			return "CR CR LF"
		}
	}
	return "CR alone"
}

// byteAt returns the byte at pos+at; false if the body ends or fails before it.
func (r *Reader) byteAt(at int) (byte, bool) {
	for r.end-r.pos <= at {
		if r.fill() != nil {
			return 0, false
		}
	}
	return r.buf[r.pos+at], true
}

// checkFirstRow refuses a first row that starts with a CR: lines then end in LF CR, and the CR
// would be in the first value of every row.
func (r *Reader) checkFirstRow() error {
	switch line := r.buf[r.pos:r.end]; {
	case len(line) == 0 || line[0] == '\n' || line[0] == '\r' && (len(line) == 1 || line[1] == '\n'):
		return nil // an empty line, or none
	case line[0] == '\r':
		return &HeaderError{Final: true, Reason: "is followed by a line that begins with CR, so lines seem to end in LF CR; they must end in LF or CRLF"}
	}
	r.header.follows = false
	return nil
}

// Repeated is the number of rows that were skipped because they repeat the header line.
func (r *Reader) Repeated() int { return r.header.repeated }

// repeatsHeader reports whether the row's cells are the column names, as when files were
// concatenated. The second file may have a byte order mark of its own.
func (r *Reader) repeatsHeader() bool {
	if len(r.header.names) != len(r.row.Cells) {
		return false // this is the header
	}
	for i, name := range r.header.names {
		cell := r.row.Cell(i)
		if i == 0 {
			cell = bytes.TrimPrefix(cell, []byte(bom))
		}
		if string(cell) != name {
			return false
		}
	}
	return true
}

// repeatsRawHeader does the same for a line that is a bad row only because a byte order mark
// precedes its first quote.
func (r *Reader) repeatsRawHeader(line []byte) bool {
	return r.columns != nil && bytes.HasPrefix(line, []byte(bom)) && bytes.Equal(line[len(bom):], r.header.raw)
}
