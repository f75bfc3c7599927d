// Package encoding writes rows as the values of records.
package encoding

import (
	"context"

	"dfinery-kafka/schema"
)

// Encoder encodes the rows of one export, one after another. It is not safe for concurrent use.
type Encoder interface {
	// Header is called once, before the first row: all rows of an export have the same columns.
	// It may block, for example on a schema registry: the caller holds no lock. An error ends
	// the export.
	Header(ctx context.Context, columns *schema.Columns) error

	// Append appends the value of a row with those columns. It does not block and does not
	// retain the row. A *schema.BadRow means that the row can't be encoded: it becomes a dead
	// letter, the export continues, and what was appended is discarded.
	Append(dst []byte, row *schema.Row) ([]byte, error)
}
