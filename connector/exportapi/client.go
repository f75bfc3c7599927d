package exportapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"dfinery-kafka/connector/charset"
	"dfinery-kafka/schema"
)

const (
	// DefaultHeaderTimeout is the default limit on the time until an answer's first line.
	DefaultHeaderTimeout = 5 * time.Minute
	// DefaultIdleTimeout is the default limit on the time without data from a body.
	DefaultIdleTimeout = time.Minute

	maxHeaderBytes = 64 << 10
	maxRedirects   = 3
)

// errBaseURL replaces an error that would quote the URL with its password.
var errBaseURL = errors.New("the base URL is not valid")

// Client makes calls of the Export API for one service. It has no policy: package limiter
// decides when, and how often, to call. It is safe for concurrent use, and must not be copied
// after its first use.
type Client struct {
	BaseURL string                        // for example https://openapi.dfinery.ai
	Service string                        // the service_id of every call
	Token   func() (schema.Secret, error) // called for each call of the API, so that a new token is used at once

	ToDateExclusive bool              // the API's to_date is the first day that is not exported
	HeaderTimeout   time.Duration     // from the call to the body's first line; 0 means DefaultHeaderTimeout
	IdleTimeout     time.Duration     // between two pieces of a body; 0 means DefaultIdleTimeout. There is no limit on a whole download
	Version         string            // of the program, for User-Agent; may be empty
	MaxRow          int               // longest row in bytes; 0 means csv.DefaultMaxRow
	RecoverQuotes   bool              // see csv.Options
	LineEnds        *LineEndLearner   // whether the API leaves out the last newline; nil learns nothing
	Transport       http.RoundTripper // nil means one of NewTransport, made at the first call

	Charset  *charset.Charset // of every answer's rows; nil: as declared by the answer
	EmptyDay []EmptyAnswer    // the answers that may mean a day without events
	Log      *slog.Logger     // gets one warning for each oddity of answers; nil: none

	once      sync.Once
	transport *http.Transport
	notices   notices

	mu        sync.Mutex // guards the following
	redactors []redactor // of the last tokens used, newest first
}

// NewTransport returns the default transport: it uses the proxy of the environment, TLS 1.2 or
// newer, and HTTP/2. It does not decompress bodies; the client does.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		ReadBufferSize:         32 << 10,
		IdleConnTimeout:        90 * time.Second,
	}
}

func (c *Client) roundTripper() http.RoundTripper {
	if c.Transport != nil {
		return c.Transport
	}
	c.once.Do(func() { c.transport = NewTransport() })
	return c.transport
}

// Export makes one call and returns its body once the header line has been read; the body must
// be closed. Any other outcome is a *schema.Failure. ctx governs the body, too. A redirect is
// followed only to the same scheme and host, and only with a status that repeats the POST (307,
// 308).
func (c *Client) Export(ctx context.Context, e schema.Export) (*Body, error) {
	k := c.newCall(e, ctx.Done())
	token, err := c.Token()
	if err == nil {
		err = checkToken(token)
	}
	if err != nil {
		return nil, k.fail(cause{code: schema.UnauthorizedToken, origin: schema.OriginTransport, err: err, ours: true, happened: "no call was made, the token can't be used: " + err.Error()})
	}
	k.redact = c.redactor(token)
	ctx = k.limit(ctx, cmp.Or(c.HeaderTimeout, DefaultHeaderTimeout), cmp.Or(c.IdleTimeout, DefaultIdleTimeout))
	response, err := c.send(ctx, k, token)
	if err == nil {
		var body *Body
		if body, err = k.parseResponse(response); err == nil {
			return body, nil
		}
	}
	_ = k.close() // the call has failed already
	return nil, err
}

// maxTokens is how many recent tokens are redacted: a body may echo the token of its call
// after a newer one has come into use.
const maxTokens = 4

// redactor returns the redactor of a token. Redact removes the token from then on.
func (c *Client) redactor(token schema.Secret) redactor {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.redactors {
		if s.of == token {
			return s
		}
	}
	c.redactors = append([]redactor{newRedactor(token)}, c.redactors[:min(len(c.redactors), maxTokens-1)]...)
	return c.redactors[0]
}

// Redact returns text without the tokens of the client's calls, in whatever form a server
// may have sent them back. If there are none it returns text itself. It is safe for
// concurrent use.
func (c *Client) Redact(text []byte) []byte {
	c.mu.Lock()
	redactors := c.redactors
	c.mu.Unlock()
	for i := range redactors {
		text = redactors[i].bytes(text)
	}
	return text
}

// send posts the request, and follows safe redirects.
func (c *Client) send(ctx context.Context, k *call, token schema.Secret) (*http.Response, error) {
	target := k.target
	for hops := 0; ; hops++ {
		request, err := http.NewRequestWithContext(k.trace(ctx), http.MethodPost, target, bytes.NewReader([]byte(k.request.Body)))
		if err != nil {
			return nil, k.lost(errBaseURL)
		}
		request.Header = http.Header{
			"Authorization":   {"Bearer " + token.Reveal()},
			"Content-Type":    {"application/json"},
			"Accept-Encoding": {"gzip"},
			"User-Agent":      {strings.TrimSuffix("dfinery-kafka/"+c.Version, "/")},
		}
		response, err := c.roundTripper().RoundTrip(request)
		if err != nil {
			return nil, k.lost(err)
		}
		k.answered(response)
		location := response.Header.Get("Location")
		if response.StatusCode/100 != 3 || location == "" {
			return response, nil
		}
		response.Body.Close()
		k.body = nil
		if hops == maxRedirects || !isSafeRedirect(request.URL, response.StatusCode, location) {
			return nil, k.fail(cause{code: schema.Redirect, origin: schema.OriginTransport, happened: "the answer redirects to " + location})
		}
		target = request.URL.ResolveReference(parsed(location)).String()
	}
}

// isSafeRedirect reports whether a redirect keeps the method, the scheme and the host.
func isSafeRedirect(from *url.URL, status int, location string) bool {
	if status != http.StatusTemporaryRedirect && status != http.StatusPermanentRedirect {
		return false
	}
	to := parsed(location)
	if to == nil {
		return false
	}
	to = from.ResolveReference(to)
	return to.Scheme == from.Scheme && strings.EqualFold(to.Host, from.Host)
}

func parsed(location string) *url.URL {
	to, err := url.Parse(location)
	if err != nil {
		return nil
	}
	return to
}

// checkToken refuses a token that HTTP can't send, before another error could quote it.
func checkToken(token schema.Secret) error {
	if token.Reveal() == "" {
		return errors.New("it is empty")
	}
	for _, c := range []byte(token.Reveal()) {
		if c < ' ' || c == 0x7f {
			return errors.New("it contains a control character, perhaps a newline")
		}
	}
	return nil
}
