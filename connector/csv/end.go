package csv

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"dfinery-kafka/schema"
)

// OpenQuoteError reports a quote that is not closed by the end of the body, or within the
// maximum size of a row. Rows before it are valid. Nothing after it is read as rows, because it
// may be inside a value.
type OpenQuoteError struct {
	Line   int   // of the row's first byte
	Offset int64 // of the row's first byte in the body
	Where  string
}

func (e *OpenQuoteError) Error() string {
	return fmt.Sprintf("line %d: a quote is not closed %s", e.Line, e.Where)
}

// openQuote stops at the current row: Next returns the error from now on. Raw is the start of
// the row.
func (r *Reader) openQuote(where string) error {
	r.row = schema.Row{Columns: r.columns, Raw: r.buf[r.pos:min(r.end, r.pos+schema.MaxCopy)], Line: r.line, Offset: r.base + int64(r.pos)}
	r.srcErr = &OpenQuoteError{Line: r.line, Offset: r.row.Offset, Where: where}
	r.next = r.end
	return r.srcErr
}

// hasLongQuote reports, for a row longer than maxRow, whether a quote is still open after
// maxRow bytes, or encloses a line break. It examines a fixed number of bytes, however many
// have been read: the result must not depend on the pieces in which a body arrives.
func (r *Reader) hasLongQuote() bool {
	state, first := bare, true
	for _, c := range r.buf[r.pos : r.pos+r.maxRow+1] {
		switch {
		case state == quoted && c == '\n':
			return true
		case state == quoted && c != '"':
		case state == quoted:
			state = closed
		case c == '"' && (state == closed || first):
			state = quoted
		default:
			state = bare
		}
		first = c == ',' && state == bare
	}
	return state == quoted
}

// MaybeTorn reports whether bad, the last row of a body that ended without a newline, may be
// the start of a good row.
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

// TooFew reports whether bad, the last row read, has fewer fields than the header, whatever
// else is wrong with it.
func (r *Reader) TooFew(bad *schema.BadRow) bool {
	switch bad.Code {
	case schema.FieldCount, schema.InvalidUTF8:
		return r.split.n < len(r.columns.Names)
	case schema.BadQuotes: // at most one field more than commas
		return bytes.Count(r.row.Raw, []byte{','})+1 < len(r.columns.Names)
	}
	return false
}

// Last reports whether only line ends follow the row read last, which must not be a row that is
// too large. It may wait for more of the body, and reads at most MaxTail bytes. The row stays
// valid.
func (r *Reader) Last() bool {
	size := len(r.row.Raw)
	for n := 0; n < MaxTail; n++ {
		for r.end == r.next+n {
			err := r.fill()
			r.row.Raw = r.buf[r.pos : r.pos+size]
			if err != nil {
				return err == io.EOF
			}
		}
		if c := r.buf[r.next+n]; c != '\n' && c != '\r' {
			return false
		}
	}
	return false
}
