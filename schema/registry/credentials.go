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
	// maxCredentials is how many recent credentials are redacted: an answer may echo
	// those of its request after newer ones have come into use.
	maxCredentials = 4
	// minSecret is the minimum length of a secret that is also redacted without its
	// header value: shorter ones may occur within ordinary words.
	minSecret = 4
)

// credentials are the last ones sent to the registry.
type credentials struct {
	mu   sync.Mutex
	last []string // values of the header Authorization, newest first
}

// note wraps authorize and stores what it adds to requests.
func (c *credentials) note(authorize func(*http.Request) error) func(*http.Request) error {
	return func(r *http.Request) error {
		err := authorize(r)
		if value := r.Header.Get("Authorization"); value != "" {
			c.mu.Lock()
			defer c.mu.Unlock()
			if !slices.Contains(c.last, value) {
				c.last = append([]string{value}, c.last[:min(len(c.last), maxCredentials-1)]...)
			}
		}
		return err
	}
}

// secrets are the texts that no message may contain.
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
	return slices.DeleteFunc(secrets, func(s string) bool { return len(s) < minSecret })
}

// clean returns text without the credentials and without terminal control characters.
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
