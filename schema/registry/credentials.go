package registry

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"

	"dfinery-kafka/schema"
)

const (
	// mostCredentials is how many that were sent are known: an answer may echo those
	// of its request when newer ones are in use.
	mostCredentials = 4
	// leastSecret is the length of a secret that is looked for by itself: words
	// have shorter ones in them.
	leastSecret = 4
)

// credentials are those that were sent to the registry last.
type credentials struct {
	mu   sync.Mutex
	last []string // values of the header Authorization, the newest first
}

// note remembers what authorize adds to requests.
func (c *credentials) note(authorize func(*http.Request) error) func(*http.Request) error {
	return func(r *http.Request) error {
		err := authorize(r)
		if value := r.Header.Get("Authorization"); value != "" {
			c.mu.Lock()
			defer c.mu.Unlock()
			if !slices.Contains(c.last, value) {
				c.last = append([]string{value}, c.last[:min(len(c.last), mostCredentials-1)]...)
			}
		}
		return err
	}
}

// secrets are the texts that no message may have.
func (c *credentials) secrets() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var secrets []string
	for _, value := range c.last {
		_, secret, _ := strings.Cut(value, " ")
		secrets = append(secrets, secret)
		if login, err := base64.StdEncoding.DecodeString(secret); err == nil && strings.HasPrefix(value, "Basic ") {
			_, password, _ := strings.Cut(string(login), ":")
			secrets = append(secrets, password)
		}
	}
	return slices.DeleteFunc(secrets, func(s string) bool { return len(s) < leastSecret })
}

// clean is text without the credentials, and without what could control a terminal.
func (c *Client) clean(text string) string {
	for _, secret := range c.sent.secrets() {
		text = strings.ReplaceAll(text, secret, schema.Redacted)
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
}
