package connector

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"

	"dfinery-kafka/schema"
)

// ParseRow reads one row as it stood in a CSV with those columns. A row that still can't be read is a *schema.BadRow.
func ParseRow(columns []string, raw []byte) (*schema.Row, error) {
	var text bytes.Buffer
	header := csv.NewWriter(&text)
	if err := header.Write(columns); err != nil {
		return nil, fmt.Errorf("write the header of a row: %w", err)
	}
	header.Flush()
	text.Write(raw)
	text.WriteByte('\n')
	r := NewReader(&text, text.Len())
	if _, err := r.Header(); err != nil {
		return nil, err
	}
	row, err := r.Next()
	if err == io.EOF {
		return nil, fmt.Errorf("there is no row in %d bytes", len(raw))
	}
	return row, err
}
