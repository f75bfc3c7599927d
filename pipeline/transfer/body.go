package transfer

import (
	"context"

	"dfinery-kafka/schema"
)

// Call is the right to make one call of the source. It ends with Export or Cancel.
type Call interface {
	// Export makes the call and returns its body once the header line was read. Any
	// other outcome is a *schema.Failure.
	Export(context.Context, schema.Export) (Body, error)
	// Cancel gives the right back unused.
	Cancel()
}

// Body is the answer to one export call.
type Body interface {
	// Columns are those of the header line.
	Columns() *schema.Columns
	// Next returns the next row, valid until the call after; io.EOF when the body has
	// ended as it should; a *schema.BadRow for a row that can't be published, after
	// which Next goes on; a *schema.Failure when the export failed.
	Next() (*schema.Row, error)
	// More reports whether Next will most likely not wait for the source.
	More() bool
	// Charset is what to remember of the charset that the stream's rows are in: a name,
	// or empty for nothing new.
	Charset() string
	// Framed reports, once Next has returned io.EOF, whether the framing of the answer
	// proves that it has ended. Otherwise it may be cut.
	Framed() bool
	// Request is the call in its current state, for the dead letters of its rows.
	Request() schema.Request
	// Close ends the call; the breaker's decision is made here.
	Close() error
}
