package transfer

import (
	"context"

	"dfinery-kafka/schema"
)

// Permit allows one call of the source. It must be ended by Export or Cancel.
type Permit interface {
	// Export makes the call and returns its body once the header line has been read.
	// Any other outcome is a *schema.Failure.
	Export(context.Context, schema.Export) (Body, error)
	// Cancel returns the permit unused.
	Cancel()
}

// Body is the answer to one export call.
type Body interface {
	// Columns returns the columns of the header line.
	Columns() *schema.Columns
	// Next returns the next row, which is valid until the following call. Its errors
	// are io.EOF at the proper end of the body; a *schema.BadRow for a row that can't
	// be published, after which Next continues; and a *schema.Failure when the export
	// failed.
	Next() (*schema.Row, error)
	// More reports whether Next will most likely return without waiting for the source.
	More() bool
	// Charset is what to store about the charset of the stream's rows: a name, or empty
	// if nothing has changed.
	Charset() string
	// Framed reports, after Next has returned io.EOF, whether the framing of the answer
	// proves that it is complete. Otherwise it may be cut.
	Framed() bool
	// Request describes the call in its current state, for the dead letters of its
	// rows.
	Request() schema.Request
	// Close ends the call and reports its outcome to the breaker.
	Close() error
}
