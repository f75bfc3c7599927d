package csv

import (
	"fmt"
	"io"

	"dfinery-kafka/schema"
)

// ParseRow reads one row as it was below a header of these columns, into memory of its own. A row that still can't be read is a
// *schema.BadRow.
func ParseRow(columns *schema.Columns, raw []byte) (*schema.Row, error) {
	text := append(append(make([]byte, 0, len(raw)+1+block), raw...), '\n')
	r := &Reader{srcErr: io.EOF, maxRow: len(text), columns: columns, recoverQuotes: true, buf: text[:cap(text)], end: len(text), line: 2}
	r.buf[r.end] = '\n'
	r.split.cells = make([]schema.Span, len(columns.Names))
	row, err := r.Next()
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("there is no row in %d bytes", len(raw))
	case err != nil:
		return nil, err
	}
	alone := *row // without the Reader around it
	return &alone, nil
}
