// Package encoding writes rows as the values of records.
package encoding

import (
	"context"

	"dfinery-kafka/schema"
)

// Encoder writes the rows of one export, one after the other. It is not for use by several goroutines.
type Encoder interface {
	// Header comes before the first row, and again before the first row under other columns. It may wait, for a schema registry for
	// example: the caller holds no lock meanwhile. An error ends the export.
	Header(ctx context.Context, columns *schema.Columns) error

	// Append appends the value of a row below those columns. It neither waits nor keeps anything of the row. A *schema.BadRow is a row that
	// has no value: it becomes a dead letter, the export goes on, and whatever was appended of it is dropped.
	Append(dst []byte, row *schema.Row) ([]byte, error)
}
