package config

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"dfinery-kafka/schema"
)

// tokenCheck is the minimum time between two reads of a token file.
const tokenCheck = time.Second

// TokenFile is an Export token in a file, which may be replaced at any time. Only Path must be
// set. It is safe for concurrent use.
type TokenFile struct {
	Path string

	mu      sync.Mutex // guards all below
	token   schema.Secret
	err     error
	checked time.Time
}

// String is the file's path.
func (f *TokenFile) String() string { return f.Path }

// Secret returns the token without surrounding white space, which is invalid in an HTTP header.
// It reads the file at most once a second. While the file can't be read or contains no token,
// it returns the last valid token; it returns an error if there has been none.
func (f *TokenFile) Secret() (schema.Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	if f.token == "" {
		return "", f.err
	}
	return f.token, nil
}

// Err is the error of the last read of the file; nil if it contained a token.
func (f *TokenFile) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *TokenFile) refresh() {
	now := time.Now()
	if !f.checked.IsZero() && now.Sub(f.checked) < tokenCheck {
		return
	}
	f.checked = now
	token, err := readToken(f.Path)
	f.err = err
	if err == nil {
		f.token = token
	}
}

// readToken never quotes the content of the file in errors.
func readToken(path string) (schema.Secret, error) {
	secret, err := ReadSecret(path)
	if err != nil {
		return "", fmt.Errorf("read token: %w", err)
	}
	token := strings.TrimSpace(secret.Reveal())
	if fault := wrongToken(token); fault != "" {
		return "", fmt.Errorf("read token: %s %s", path, fault)
	}
	return schema.Secret(token), nil
}

// wrongToken returns why token can't be a bearer token (RFC 6750, section 2.1); empty if it can.
func wrongToken(token string) string {
	switch {
	case wrapped(token):
		return "has the token in quotes: remove them"
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "has a character inside the token that is invalid in an HTTP header, such as a blank or a letter that is not ASCII"
	}
	return ""
}
