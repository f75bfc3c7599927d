package exportapi

import (
	"errors"
	"fmt"
	"io"
	"time"

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/schema"
)

// Body reads the rows of one export. Only Close is safe for concurrent use.
type Body struct {
	call    *call
	reader  *csv.Reader
	columns *schema.Columns
	matcher lineMatcher
	end     error // sticky
}

// Columns returns the columns of the header line.
func (b *Body) Columns() *schema.Columns { return b.columns }

// Rows is how many rows Next has returned, not counting bad ones.
func (b *Body) Rows() int64 { return b.call.request.Rows }

// Request describes the call in its current state.
func (b *Body) Request() schema.Request {
	r := b.call.request
	r.Duration = time.Since(r.Started)
	return r
}

// Date is the answer's Date header; zero without one.
func (b *Body) Date() time.Time { return b.call.date }

// Framed reports whether the answer's framing proves that the body is complete where Next
// returned io.EOF: a length, a last chunk, the end of an HTTP/2 stream, or a gzip trailer.
// Without framing, a body ends when its connection is closed, which proves nothing.
func (b *Body) Framed() bool { return b.call.framed }

// Headers returns the headers that help to diagnose an answer, with lower-case names.
func (b *Body) Headers() map[string]string { return b.call.headers }

// Close ends the call even if its body was not read to the end. Closing again does nothing.
func (b *Body) Close() error { return b.call.close() }

// Next returns the next row, which is valid until the following call. Its errors are io.EOF at
// the proper end of the body, a *schema.BadRow, after which Next continues, and a
// *schema.Failure. io.EOF and a failure are final: later calls return them again.
func (b *Body) Next() (*schema.Row, error) {
	if b.end != nil {
		return nil, b.end
	}
	row, err := b.reader.Next()
	// A row that ends in { may be followed directly by the JSON of a failure.
	if err != nil || b.reader.Unterminated() || row.Raw[len(row.Raw)-1] == '{' {
		return b.examine(row, err)
	}
	if b.matcher.watching {
		b.matcher.line(row.Raw, row.Line, len(b.columns.Names))
	}
	b.call.request.Rows++
	return row, nil
}

// More reports whether Next will most likely return without waiting for more of the body.
func (b *Body) More() bool { return b.end == nil && b.reader.More() }

// examine handles everything but a plain row with its newline.
func (b *Body) examine(row *schema.Row, err error) (*schema.Row, error) {
	b.call.request.RepeatedHeaders = int64(b.reader.Repeated())
	bad, ok := errors.AsType[*schema.BadRow](err)
	if err != nil && !ok {
		return nil, b.finish(err)
	}
	if failure := b.failureIn(bad); failure != nil {
		return nil, b.stop(failure)
	}
	if b.matcher.watching {
		b.matcher.line(b.reader.Raw(), b.reader.Line(), len(b.columns.Names))
	}
	if cut := b.cutIn(bad); cut != nil {
		return nil, b.stop(cut)
	}
	if bad != nil {
		return nil, bad
	}
	b.call.request.Rows++
	return row, nil
}

// stop ends the body with a failure.
func (b *Body) stop(f *schema.Failure) error {
	b.learn(false)
	b.end = f
	return f
}

// learn records, once, what the body shows about how the previous export of the day ended.
func (b *Body) learn(whole bool) {
	b.call.lineEnds.record(b.call.export, &b.matcher, whole)
	b.matcher.watching = false
}

// finish ends the body with the result of the source. An HTTP/1 body without length, chunks or
// gzip can't be distinguished from a cut one. If it ends with a newline it is accepted as
// complete, as otherwise no such body ever would be. The next export of the day publishes rows
// lost by a cut there.
func (b *Body) finish(err error) error {
	if err == io.EOF {
		b.learn(true)
		if !b.reader.Unterminated() {
			b.call.lineEnds.terminated(b.call.export)
		}
		b.end = io.EOF
		return b.end
	}
	var (
		open  *csv.OpenQuoteError
		names *csv.HeaderError
	)
	switch {
	case errors.As(err, &open):
		return b.stop(b.openQuote(open))
	case errors.As(err, &names):
		return b.stop(b.badHeader(names))
	}
	// What follows the last newline may be a failure that was sent before the connection was
	// closed.
	if api, text := failureWithin(b.reader.Tail()); text != nil {
		return b.stop(b.failed(api, text))
	}
	return b.stop(b.call.torn(err, nil))
}

// failureIn looks for the JSON of a failure in or after the row just read.
func (b *Body) failureIn(bad *schema.BadRow) *schema.Failure {
	raw := b.reader.Raw()
	if bad == nil && raw[len(raw)-1] != '{' || bad != nil && bad.Code == schema.TooLarge {
		return nil
	}
	if api, text := failureWithin(b.reader.Tail()); text != nil {
		return b.failed(api, text)
	}
	return nil
}

// failed is a failure that the API wrote after rows.
func (b *Body) failed(api apiFailure, text []byte) *schema.Failure {
	c := cause{code: schema.CutBody, origin: schema.OriginAPI, result: api.Result, message: api.Message, body: text,
		happened: fmt.Sprintf("the API wrote %q after %d rows", shortened(api.Message, maxMessage/4), b.Rows())}
	if knownToAPI(api.Message) {
		c.code = schema.Code(api.Message)
	}
	return b.call.fail(c)
}

// readHeader reads the header line and refuses one with which no row could be published.
func (b *Body) readHeader() error {
	columns, err := b.reader.Header()
	var (
		bad   *schema.BadRow
		names *csv.HeaderError
	)
	switch {
	case err == io.EOF:
		return b.call.fail(cause{code: schema.EmptyBody, origin: schema.OriginTransport, happened: "the answer is empty", ours: true})
	case errors.As(err, &bad):
		names = &csv.HeaderError{Reason: "can't be read: " + bad.Detail}
	case err != nil && !errors.As(err, &names):
		return b.finish(err)
	}
	if err == nil {
		names = missingKey(b.call.export.Key, columns)
	}
	if b.reader.Unterminated() && names != nil && !names.Final {
		return b.noNewline("")
	}
	if names != nil {
		return b.badHeader(names)
	}
	if b.matcher.watching {
		b.matcher.line(b.reader.Raw(), b.reader.Line(), len(columns.Names))
	}
	b.columns = columns
	if cut := b.cutIn(nil); cut != nil {
		b.learn(false)
		return cut
	}
	return nil
}

// missingKey refuses a header without a column of the stream's key.
func missingKey(key schema.Key, columns *schema.Columns) *csv.HeaderError {
	missing := key.Missing(columns)
	switch {
	case missing == nil:
		return nil
	case len(key.Columns()) == 1:
		return &csv.HeaderError{Reason: fmt.Sprintf("has no column %q, the stream's key", key)}
	}
	return &csv.HeaderError{Reason: fmt.Sprintf("has no column %q, part of the stream's key", missing[0])}
}

func (b *Body) badHeader(e *csv.HeaderError) *schema.Failure {
	text := e.Error()
	if b.call.export.Private != nil && e.Public != "" {
		text = (&csv.HeaderError{Reason: e.Public}).Error()
	}
	return b.call.fail(cause{code: schema.BadHeader, origin: schema.OriginCSV, message: text, happened: text, ours: true, body: b.reader.Raw()})
}
