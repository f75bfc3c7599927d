package csv

import (
	"fmt"
	"io"

	"dfinery-kafka/schema"
)

// ParseRow parses one row of a CSV with these columns. The row does not share memory with raw.
// The error for a row that still can't be read is a *schema.BadRow.
func ParseRow(columns *schema.Columns, raw []byte) (*schema.Row, error) {
	text := append(append(make([]byte, 0, len(raw)+1+block), raw...), '\n')
	r := &Reader{srcErr: io.EOF, maxRow: len(text), columns: columns, recoverQuotes: true, buf: text[:cap(text)], end: len(text), line: 2}
	r.buf[r.end] = '\n'
	r.split.cells = make([]schema.Span, len(columns.Names))
	row, err := r.Next()
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("no row in %d bytes", len(raw))
	case err != nil:
		return nil, err
	}
	parsed := *row // a copy: *row would keep the whole Reader in memory
	return &parsed, nil
}
