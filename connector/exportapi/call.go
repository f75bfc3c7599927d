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

// call is one call of the API from its request to the end of its body. It is owned by the
// reader of the body; the goroutines of the timer and the transport access only the atomic
// fields.
type call struct {
	client   *Client
	export   schema.Export
	target   string         // URL of the request
	request  schema.Request // for logs and dead letters: without a password in the URL
	redact   redactor
	redacted bool // a text of the failure contained the token
	lineEnds *LineEndLearner

	done      <-chan struct{} // the caller's context
	cancel    context.CancelCauseFunc
	timer     *time.Timer
	header    time.Duration
	idle      time.Duration
	phase     atomic.Int32 // what the timer waits for
	expired   atomic.Pointer[timeoutError]
	tlsFailed atomic.Bool
	closed    atomic.Bool

	decoder        *charset.Reader // of the body's charset; nil for UTF-8
	charsetWarning string          // logged if the answer has rows; empty: none
	unknownCharset string          // label of an unsupported charset in the content type

	status     int
	statusText string
	headers    map[string]string
	date       time.Time
	body       io.Closer
	framed     bool // the answer's framing distinguishes a complete body from a cut one
}

const (
	phaseHeader  int32 = iota
	phaseRefusal       // the whole body of an answer without rows
	phaseBody
)

// timeoutError reports that a time limit of the client was exceeded.
type timeoutError struct {
	what  string
	after time.Duration
}

func (e *timeoutError) Error() string { return e.what + " within " + e.after.String() }

// Timeout implements net.Error.
func (e *timeoutError) Timeout() bool { return true }

// Is matches context.DeadlineExceeded.
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

// limit starts the timer. The returned context is cancelled by the timer, by the caller's
// context and by close.
func (k *call) limit(ctx context.Context, header, idle time.Duration) context.Context {
	ctx, k.cancel = context.WithCancelCause(ctx)
	k.header, k.idle = header, idle
	k.timer = time.AfterFunc(header, func() {
		passed := &timeoutError{"no header line", header}
		switch k.phase.Load() {
		case phaseRefusal:
			passed = &timeoutError{"no complete answer", min(header, idle)}
		case phaseBody:
			passed = &timeoutError{"nothing more of the body", idle}
		}
		k.expired.Store(passed)
		k.cancel(passed)
	})
	return ctx
}

// trace records failed TLS handshakes, whose errors have no common type.
func (k *call) trace(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
		if err != nil {
			k.tlsFailed.Store(true)
		}
	}})
}

// answered stores the headers of the answer.
func (k *call) answered(r *http.Response) {
	k.status, k.statusText = r.StatusCode, r.Status
	if k.export.Private != nil {
		k.statusText = ownStatus(r.StatusCode)
	}
	k.headers = diagnosticHeaders(r.Header)
	k.date, _ = http.ParseTime(r.Header.Get("Date"))
	k.body = r.Body
	k.framed = r.ProtoMajor >= 2 || r.ContentLength >= 0 || slices.Contains(r.TransferEncoding, "chunked")
}

// close ends the call without reading further: the connection of an unfinished HTTP/1 body is
// closed, the stream of an HTTP/2 body reset.
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

// cancelled reports whether the call was ended by this program.
func (k *call) cancelled() bool {
	select {
	case <-k.done:
		return true
	default:
		return k.closed.Load()
	}
}

// idleTimeoutReader limits the duration of each read of a body. The time between reads does not
// count, as a slow consumer may delay them.
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

// counter counts the bytes read.
type counter struct {
	src io.Reader
	n   *int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.src.Read(b)
	*c.n += int64(n)
	return n, err
}
