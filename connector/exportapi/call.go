package exportapi

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"sync/atomic"
	"time"

	"dfinery-kafka/connector/charset"
	"dfinery-kafka/schema"
)

// call is one call of the API from its request to its body's end. It belongs to the reader of the body; only the timer's goroutine and the transport's
// touch the atomic parts.
type call struct {
	client   *Client
	export   schema.Export
	target   string         // where the request goes
	request  schema.Request // what may be shown of it: without a base URL's password
	redact   redactor
	redacted bool // a text of the failure has had the token in it
	lineEnds *LineEndLearner

	done      <-chan struct{} // the caller's context
	cancel    context.CancelCauseFunc
	timer     *time.Timer
	header    time.Duration
	idle      time.Duration
	phase     atomic.Int32 // what the timer waits for: one of the phases
	expired   atomic.Pointer[timeoutError]
	tlsFailed atomic.Bool
	closed    atomic.Bool

	decoder        *charset.Reader // of the body's charset; nil for UTF-8
	charsetOddity  string          // to warn of, if the answer has rows; empty: nothing
	unknownCharset string          // a label of the content type that can't be decoded

	status     int
	statusText string
	headers    map[string]string
	date       time.Time
	body       io.Closer
	framed     bool // the answer's framing distinguishes a complete body from one that was cut
}

const (
	phaseHeader  int32 = iota
	phaseRefusal       // for all of the body of an answer without rows
	phaseBody
)

// timeoutError is one of our time limits that was exceeded.
type timeoutError struct {
	what  string
	after time.Duration
}

func (e *timeoutError) Error() string { return e.what + " within " + e.after.String() }

// Timeout makes it a timeout for net.Error's users.
func (e *timeoutError) Timeout() bool { return true }

// Is makes it a context.DeadlineExceeded.
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

func (c *Client) newCall(e schema.Export, done <-chan struct{}) *call {
	lineEnds := c.LineEnds
	if lineEnds == nil {
		lineEnds = new(LineEndLearner)
	}
	target := requestURL(c.BaseURL, c.Service, e.Kind)
	return &call{client: c, export: e, target: target, lineEnds: lineEnds, done: done, request: schema.Request{
		Method: http.MethodPost, URL: withoutPassword(target), Body: requestBody(e, c.ToDateExclusive), Started: time.Now(),
	}}
}

// limit starts the timer; the context that it returns ends with it, with the caller's, and with close.
func (k *call) limit(ctx context.Context, header, idle time.Duration) context.Context {
	ctx, k.cancel = context.WithCancelCause(ctx)
	k.header, k.idle = header, idle
	k.timer = time.AfterFunc(header, func() {
		passed := &timeoutError{"no header line", header}
		switch k.phase.Load() {
		case phaseRefusal:
			passed = &timeoutError{"no whole answer", min(header, idle)}
		case phaseBody:
			passed = &timeoutError{"nothing more of the body", idle}
		}
		k.expired.Store(passed)
		k.cancel(passed)
	})
	return ctx
}

// trace distinguishes failures of TLS from others: their errors have no common type.
func (k *call) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
		if err != nil {
			k.tlsFailed.Store(true)
		}
	}})
}

// answered notes what the headers say.
func (k *call) answered(r *http.Response) {
	k.status, k.statusText = r.StatusCode, r.Status
	if k.export.Private != nil {
		k.statusText = ownStatus(r.StatusCode)
	}
	k.headers = headersKept(r.Header)
	k.date, _ = http.ParseTime(r.Header.Get("Date"))
	k.body = r.Body
	k.framed = r.ProtoMajor >= 2 || r.ContentLength >= 0 || slices.Contains(r.TransferEncoding, "chunked")
}

// close ends the call without reading on: the connection of an unfinished HTTP/1 body is closed, the stream of an HTTP/2 body reset.
func (k *call) close() error {
	if k.closed.Swap(true) {
		return nil
	}
	k.timer.Stop()
	k.cancel(context.Canceled)
	if k.body == nil {
		return nil
	}
	return k.body.Close()
}

// cancelled says that the call ended because we wanted it to.
func (k *call) cancelled() bool {
	select {
	case <-k.done:
		return true
	default:
		return k.closed.Load()
	}
}

// idleTimeoutReader limits each read of a body to the idle time; the time between reads, when a slow consumer delays them, does not count.
type idleTimeoutReader struct {
	src io.Reader
	k   *call
}

func (p *idleTimeoutReader) Read(b []byte) (int, error) {
	if p.k.phase.Load() != phaseBody {
		return p.src.Read(b) // within the time of the phase
	}
	p.k.timer.Reset(p.k.idle)
	defer p.k.timer.Stop()
	return p.src.Read(b)
}

// counter counts what was read.
type counter struct {
	src io.Reader
	n   *int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.src.Read(b)
	*c.n += int64(n)
	return n, err
}
