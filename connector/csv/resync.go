package csv

import (
	"bytes"
	"fmt"
	"io"

	"dfinery-kafka/schema"
)

// resync makes a bad row of the first physical line of a row with malformed quotes, or of one
// longer than maxRow. Reading continues directly after that line, so that one stray quote never
// swallows the rows after it. Every byte is examined at most three times: a line with an odd
// number of quotes ends the search that an earlier line started, and a line with an even number
// starts none. It returns nil if the line is to be skipped.
func (r *Reader) resync(out outcome) error {
	detail := fmt.Sprintf("the quotes are wrong at byte %d of the row", r.split.at+1)
	if out != broken || r.split.at > r.maxRow {
		detail = fmt.Sprintf("a quote is not closed by the end of the body, nor within %d bytes", r.maxRow)
	}
	line, err := r.physicalLine()
	if err != nil {
		return err
	}
	if len(line) > r.maxRow {
		return r.tooLarge()
	}
	if r.repeatsRawHeader(line) {
		r.header.repeated++
		return nil
	}
	r.row = schema.Row{Columns: r.columns, Raw: line, Line: r.line, Offset: r.base + int64(r.pos)}
	return r.row.Bad(schema.BadQuotes, schema.OriginCSV, "the row's quotes are wrong", detail)
}

// physicalLine returns buf from pos to the next newline, to the end of the body, or to a point
// after maxRow bytes, and advances past it.
func (r *Reader) physicalLine() ([]byte, error) {
	seen := 0
	for {
		if i := bytes.IndexByte(r.buf[r.pos+seen:r.end], '\n'); i >= 0 {
			end := r.pos + seen + i
			r.next, r.newline, r.unterminated = end+1, 1, false
			return trimCR(r.buf[r.pos:end]), nil
		}
		seen = r.end - r.pos
		if seen > r.maxRow+1 {
			return r.buf[r.pos:r.end], nil
		}
		if err := r.fill(); err == io.EOF {
			r.next, r.newline, r.unterminated = r.end, 0, true
			return trimCR(r.buf[r.pos:r.end]), nil
		} else if err != nil {
			r.failed = true
			return nil, err
		}
	}
}

// tooLarge skips a line longer than maxRow and hashes it. It holds no more of the line in
// memory than fits the buffer.
func (r *Reader) tooLarge() error {
	bad := &schema.BadRow{
		Code: schema.TooLarge, Origin: schema.OriginCSV, Message: "the row is too large",
		Line: r.line, Offset: r.base + int64(r.pos), Columns: r.columns,
	}
	hash := schema.NewBadHash()
	keep := func(b []byte) {
		_, _ = hash.Write(b) // never fails
		bad.RawBytes += int64(len(b))
		bad.Raw = append(bad.Raw, b[:min(len(b), schema.MaxCopy-len(bad.Raw))]...)
	}
	cr := false // the previous piece ended in a CR, which is part of the row unless a newline follows
	for {
		piece := r.buf[r.pos:r.end]
		i := bytes.IndexByte(piece, '\n')
		if i >= 0 {
			piece = piece[:i]
		}
		if cr && len(piece) > 0 {
			keep([]byte{'\r'})
			cr = false
		}
		kept := trimCR(piece)
		cr = cr || len(kept) < len(piece)
		keep(kept)
		r.pos += len(piece)
		r.next = r.pos
		if i >= 0 {
			r.next, r.newline, r.unterminated = r.pos+1, 1, false
			break
		}
		if err := r.fill(); err == io.EOF {
			r.unterminated = true
			break
		} else if err != nil {
			r.failed = true
			return err
		}
	}
	bad.Hash = hash.Sum()
	bad.Detail = fmt.Sprintf("line %d: %d bytes, at most %d are read", bad.Line, bad.RawBytes, r.maxRow)
	r.row = schema.Row{Columns: r.columns, Raw: bad.Raw, Line: bad.Line, Offset: bad.Offset}
	return bad
}

// Tail returns the body from the last row on, and how many of its bytes belong to that row. It
// is nil unless the body ends or fails within MaxTail bytes after the row. After Next has
// returned an error of the source it is all that was read after the last newline. The row stays
// valid.
func (r *Reader) Tail() (rest []byte, scanned int) {
	if r.failed {
		return r.buf[r.pos:r.end], r.end - r.pos
	}
	most := r.split.at + MaxTail
	for r.end-r.pos <= most {
		if r.fill() != nil {
			break
		}
	}
	r.row.Raw = r.buf[r.pos : r.pos+len(r.row.Raw)]
	if !r.split.doubled {
		r.row.Data = r.row.Raw
	}
	if r.srcErr == nil || r.end-r.pos > most {
		return nil, 0
	}
	return r.buf[r.pos:r.end], r.split.at + 1
}
