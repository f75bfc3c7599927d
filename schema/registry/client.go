package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"
)

// Config is the configuration of a Client.
type Config struct {
	URLs []string // base URLs; each call tries them in order until one answers
	// Authorize, if set, adds the credentials to a request. It is called for
	// each request, so that secrets in files may change.
	Authorize func(*http.Request) error
	// Unauthorized, if set, is called when the registry has refused the credentials (401 or 403),
	// so that Authorize can get new ones.
	Unauthorized func()
	TLS          *tls.Config   // nil: the system's
	Timeout      time.Duration // of one request, including its answer
	// LookupOnly disables registration: a schema that the registry lacks is an error.
	LookupOnly bool
	UserAgent  string
}

// Client is a client of one registry. It is safe for concurrent use.
type Client struct {
	clients    []*sr.Client // one for each URL: sr itself does not try the next URL after a 503
	lookupOnly bool
	transport  *http.Transport
	sent       credentials
	// unauthorized is called after the registry has refused the credentials; nil: nothing is.
	unauthorized func()
	silence      silence
}

// maxAnswer limits the size of an answer.
const maxAnswer = 4 << 20

// New returns a client. It does not connect yet.
func New(c Config) (*Client, error) {
	if len(c.URLs) == 0 {
		return nil, errors.New("no URL of a schema registry is set")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() // proxies as for the API
	transport.TLSClientConfig = c.TLS
	client := &Client{lookupOnly: c.LookupOnly, transport: transport, unauthorized: c.Unauthorized}
	caller := &http.Client{
		Timeout: c.Timeout, Transport: boundedTransport{transport},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // no redirect: credentials must not go to another host
	}
	for _, url := range c.URLs {
		opts := []sr.ClientOpt{sr.URLs(url), sr.HTTPClient(caller), sr.UserAgent(c.UserAgent)}
		if c.Authorize != nil {
			opts = append(opts, sr.PreReq(client.sent.note(c.Authorize)))
		}
		one, err := sr.NewClient(opts...)
		if err != nil {
			return nil, fmt.Errorf("schema registry %s: %w", url, err)
		}
		client.clients = append(client.clients, one)
	}
	return client, nil
}

// Close ends idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Schema is one version of a stream's schema.
type Schema struct {
	Subject string
	Type    sr.SchemaType
	Text    string
}

func (s *Schema) schema() sr.Schema { return sr.Schema{Schema: s.Text, Type: s.Type} }

// Register returns the id of a schema, after registering it if the registry lacks it.
// A lookup-only client does not register. Errors are *Error, or the
// context's.
func (c *Client) Register(ctx context.Context, s *Schema) (id int, err error) {
	if c.lookupOnly {
		return c.Lookup(ctx, s)
	}
	err = c.each(ctx, func(client *sr.Client) error {
		id, err = client.RegisterSchema(sr.WithParams(ctx, sr.Normalize), s.Subject, s.schema(), -1, -1)
		return err
	})
	return c.checkID(id, "register", s, err)
}

// Lookup returns the id under which the registry has a schema. Errors are
// *Error, or the context's.
func (c *Client) Lookup(ctx context.Context, s *Schema) (id int, err error) {
	err = c.each(ctx, func(client *sr.Client) error {
		found, err := client.LookupSchema(sr.WithParams(ctx, sr.Normalize), s.Subject, s.schema())
		id = found.ID
		return err
	})
	return c.checkID(id, "look up", s, err)
}

// Ping makes a cheap request, to find out whether the registry can be reached.
func (c *Client) Ping(ctx context.Context) error {
	err := c.each(ctx, func(client *sr.Client) error {
		_, err := client.Subjects(ctx)
		return err
	})
	if err != nil {
		return c.classify(err, "list the subjects")
	}
	return nil
}

// each tries one URL after another until one gives a definite answer. After an attempt that took
// long in vain, none is made for the same time: exports wait for an answer in turn, and those of
// other streams need their places.
func (c *Client) each(ctx context.Context, call func(*sr.Client) error) error {
	if err := c.silence.now(); err != nil {
		return err
	}
	started := time.Now()
	var err error
	for _, client := range c.clients {
		err = call(client)
		if unauthorized(err) && c.unauthorized != nil {
			c.unauthorized()
		}
		if err == nil || ctx.Err() != nil || definite(err) {
			return err
		}
	}
	if took := time.Since(started); took >= longAttempt {
		c.silence.begin(took, err)
	}
	return err
}

// longAttempt is the duration from which an attempt in vain is followed by a silence.
const longAttempt = time.Second

// silence is the time after a failed attempt in which no other is made.
type silence struct {
	mu    sync.Mutex // guards the following
	until time.Time
	err   error
}

func (s *silence) begin(length time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until, s.err = time.Now().Add(length), err
}

// now returns the error of the failed attempt; nil after the silence.
func (s *silence) now() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Now().Before(s.until) {
		return s.err
	}
	return nil
}

func (c *Client) checkID(id int, what string, s *Schema, err error) (int, error) {
	doing := what + " the schema of subject " + s.Subject
	switch {
	case err != nil:
		return 0, c.classify(err, doing)
	case id <= 0: // the library does not treat an answer such as {} as an error
		return 0, &Error{Wait: true, Detail: doing + ": the answer names no id"}
	case id > math.MaxInt32: // values have 4 bytes for it
		return 0, &Error{Wait: true, Detail: fmt.Sprintf("%s: the answer names the id %d, which has more than 32 bits", doing, id)}
	}
	return id, nil
}

// boundedTransport limits the bodies of answers, which the library reads completely.
type boundedTransport struct{ http.RoundTripper }

func (t boundedTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := t.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = boundedBody{io.LimitReader(answer.Body, maxAnswer), answer.Body}
	}
	return answer, err
}

type boundedBody struct {
	io.Reader
	io.Closer
}
