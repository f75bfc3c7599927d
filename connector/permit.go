package connector

import (
	"context"
	"errors"
	"io"
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// Permit allows one call. It must be released: by Export followed by the download's Close, or
// by Cancel.
type Permit struct {
	ticket *limiter.Ticket
	export func(context.Context, schema.Export) (body, error)
}

var errUsed = errors.New("the permit was already used")

// Probe reports whether the call probes if the API has recovered. The smallest export that is
// due is the best one to use.
func (p *Permit) Probe() bool { return p.ticket.Probe() }

// Cancel returns the permit unused. After Export it does nothing.
func (p *Permit) Cancel() { p.ticket.Cancel(time.Now()) }

// Export makes the call and returns its body once the header line has been read. Any other
// outcome is a *schema.Failure, except for a permit that was already used.
func (p *Permit) Export(ctx context.Context, e schema.Export) (*Download, error) {
	if !p.ticket.Sent(time.Now()) {
		return nil, errUsed
	}
	d := &Download{ticket: p.ticket, slice: e.Slice}
	defer func() {
		if d.body == nil {
			d.settle() // even after a panic: an unfinished probe would block all calls
		}
	}()
	b, err := p.export(ctx, e)
	if err != nil {
		d.end(err)
		return nil, err
	}
	p.ticket.Answered(time.Now(), limiter.ParseRateLimit(b.Headers(), b.Date()), b.Date())
	d.body = b
	return d, nil
}

// Download is the body of one export call. Not for use by several goroutines.
type Download struct {
	body     // the client's
	ticket   *limiter.Ticket
	slice    bool
	failure  *schema.Failure
	complete bool
}

// Request describes the call in its current state.
func (d *Download) Request() schema.Request {
	r := d.body.Request()
	r.Breaker = d.ticket.Breaker()
	return r
}

// Next returns the next row, which is valid until the following call. Its errors are io.EOF at
// the proper end of the body; a *schema.BadRow for a row that can't be published, after which
// Next continues; and a *schema.Failure when the export failed.
func (d *Download) Next() (*schema.Row, error) {
	row, err := d.body.Next()
	if err != nil {
		d.end(err)
	}
	return row, err
}

func (d *Download) end(err error) {
	if err == io.EOF { // not errors.Is: a failure may wrap the transport's EOF
		d.complete = true
		return
	}
	if f, ok := errors.AsType[*schema.Failure](err); ok && d.failure == nil {
		f.Request.Breaker = d.ticket.Breaker()
		d.failure = f
	}
}

// Close ends the call and reports its outcome to the limiter: success for a body read up to
// io.EOF, failure for a *schema.Failure, and neither for a body closed earlier. Closing again
// does nothing.
func (d *Download) Close() error {
	defer d.settle()
	return d.body.Close()
}

func (d *Download) settle() {
	d.ticket.Ended(time.Now(), limiter.Outcome{Failure: d.failure, Complete: d.complete, Slice: d.slice})
}
