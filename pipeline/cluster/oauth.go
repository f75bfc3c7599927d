package cluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/segmentio/kafka-go/sasl"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

// ClientCredentials gets access tokens with OAuth 2.0 client credentials (RFC 6749, section
// 4.4). A token is used for all connections until shortly before it expires. ClientCredentials
// must not be copied after first use.
type ClientCredentials struct {
	TokenURL string
	ClientID string
	Secret   func() (string, error) // called for each token
	Scopes   []string
	HTTP     *http.Client // nil means http.DefaultClient, which uses the environment's proxies
	// Legacy is called when the server refused the secret as it is, but accepted it without
	// surrounding white space. nil: nothing is called.
	Legacy func()

	mu    sync.Mutex
	token *oauth2.Token
}

// tokenTimeout leaves time for the other steps of a connection.
const tokenTimeout = dialTimeout / 2

// Token returns a valid access token. Its errors contain no text of the server, which might
// echo the secret.
func (c *ClientCredentials) Token(ctx context.Context) (string, error) {
	c.mu.Lock() // one request serves all connections that wait
	defer c.mu.Unlock()
	if c.token.Valid() {
		return c.token.AccessToken, nil
	}
	secret, err := c.Secret()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	if c.HTTP != nil {
		ctx = context.WithValue(ctx, oauth2.HTTPClient, c.HTTP)
	}
	token, err := c.request(ctx, secret)
	_, refused := errors.AsType[*oauth2.RetrieveError](err)
	if trimmed := strings.TrimSpace(secret); refused && trimmed != secret {
		if token, err = c.request(ctx, trimmed); err == nil && c.Legacy != nil {
			c.Legacy()
		}
	}
	if err != nil {
		return "", &TokenError{URL: c.TokenURL, Err: tokenFault(err)}
	}
	c.token = token
	return token.AccessToken, nil
}

// Forget makes the next call of Token request a new token, after a server has refused the current
// one: it may have been revoked, or have no known end.
func (c *ClientCredentials) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.token = nil
}

func (c *ClientCredentials) request(ctx context.Context, secret string) (*oauth2.Token, error) {
	config := clientcredentials.Config{ClientID: c.ClientID, ClientSecret: secret, TokenURL: c.TokenURL, Scopes: c.Scopes}
	return config.Token(ctx)
}

// TokenError reports that no access token could be obtained.
type TokenError struct {
	URL string
	Err error
}

func (e *TokenError) Error() string {
	return fmt.Sprintf("get an access token from %s: %v", e.URL, e.Err)
}

// Unwrap returns the cause.
func (e *TokenError) Unwrap() error { return e.Err }

func tokenFault(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response != nil {
		if code := refused.ErrorCode; oauthCode(code) {
			return fmt.Errorf("HTTP %d, %s", refused.Response.StatusCode, code)
		}
		return fmt.Errorf("HTTP %d", refused.Response.StatusCode)
	}
	if at, ok := errors.AsType[*url.Error](err); ok {
		return at.Err
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return err
	}
	return errors.New("the answer contains no access token")
}

// oauthCode reports whether the code is one of RFC 6749, section 5.2.
func oauthCode(code string) bool {
	switch code {
	case "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type", "invalid_scope":
		return true
	}
	return false
}

// bearer is the mechanism OAUTHBEARER (RFC 7628, KIP-255) with one token.
type bearer struct{ token string }

// Name implements sasl.Mechanism.
func (bearer) Name() string { return mechanismBearer }

// Start implements sasl.Mechanism: a GS2 header without an authorization identity, and the token.
func (b bearer) Start(context.Context) (sasl.StateMachine, []byte, error) {
	if strings.ContainsFunc(b.token, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return nil, nil, errors.New("the access token contains characters that are invalid in a bearer token")
	}
	return bearerSession{}, []byte("n,,\x01auth=Bearer " + b.token + "\x01\x01"), nil
}

type bearerSession struct{}

// Next implements sasl.StateMachine. A broker that refuses the token returns the reason, and
// expects an answer before it ends the login.
func (bearerSession) Next(_ context.Context, challenge []byte) (bool, []byte, error) {
	if len(challenge) == 0 {
		return true, nil, nil
	}
	return false, []byte{1}, nil
}

const mechanismBearer = "OAUTHBEARER"
