package connector

import (
	"context"
	"errors"
	"io"
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// Permit is the right to make one call, and the duty to end it: with Export and then its body's Close, or with Cancel.
type Permit struct {
	ticket *limiter.Ticket
	export func(context.Context, schema.Export) (body, error)
}

var errUsed = errors.New("the permit was used already")

// Probe says that the call probes whether the API has recovered: the smallest export that is due serves best.
func (p *Permit) Probe() bool { return p.ticket.Probe() }

// Cancel gives the permit back unused. After Export it does nothing.
func (p *Permit) Cancel() { p.ticket.Cancel(time.Now()) }

// Export makes the call and returns its body once the header line was read. Any other outcome is a *schema.Failure;
// only a permit that was used already gives another error.
func (p *Permit) Export(ctx context.Context, e schema.Export) (*Download, error) {
	if !p.ticket.Sent(time.Now()) {
		return nil, errUsed
	}
	d := &Download{ticket: p.ticket, slice: e.Slice}
	defer func() {
		if d.body == nil {
			d.settle() // whatever happened, a panic too: a probe without an answer would block all calls
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
	body     body
	ticket   *limiter.Ticket
	slice    bool
	failure  *schema.Failure
	complete bool
}

// Columns are those of the header line.
func (d *Download) Columns() *schema.Columns { return d.body.Columns() }

// Charset is what to remember of the charset that the stream's rows are in: see schema.Export.Charset. It is empty when there is nothing new.
func (d *Download) Charset() string { return d.body.Charset() }

// Request is the call in its current state.
func (d *Download) Request() schema.Request {
	r := d.body.Request()
	r.Breaker = d.ticket.Breaker()
	return r
}

// Framed reports whether the answer's framing proves the end of the body, once Next has returned io.EOF.
func (d *Download) Framed() bool { return d.body.Framed() }

// Bytes is how much of the body has arrived, compression undone.
func (d *Download) Bytes() int64 { return d.body.Bytes() }

// Rows is how many rows Next has returned, without bad ones.
func (d *Download) Rows() int64 { return d.body.Rows() }

// Next returns the next row, valid until the call after; io.EOF when the body has ended as it should; a *schema.BadRow for a row that can't
// be published, after which Next goes on; a *schema.Failure when the export failed.
func (d *Download) Next() (*schema.Row, error) {
	row, err := d.body.Next()
	if err != nil {
		d.end(err)
	}
	return row, err
}

// More says that Next will most likely not wait for more of the body.
func (d *Download) More() bool { return d.body.More() }

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

// Close ends the call and reports its outcome to the limiter: a body read to its io.EOF is a success, a *schema.Failure a failure,
// and one closed earlier decides nothing. Closing again does nothing.
func (d *Download) Close() error {
	defer d.settle()
	return d.body.Close()
}

func (d *Download) settle() {
	d.ticket.Ended(time.Now(), limiter.Outcome{Failure: d.failure, Complete: d.complete, Slice: d.slice})
}
