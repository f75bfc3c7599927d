package config

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"dfinery-kafka/schema"
)

// tokenCheck bounds how often a token file is read.
const tokenCheck = time.Second

// TokenFile is an Export token kept in a file, which may be replaced at any time. Only Path has to be set. Safe for concurrent use.
type TokenFile struct {
	Path string

	mu      sync.Mutex // guards all below
	token   schema.Secret
	err     error
	checked time.Time
}

// String is the file's path.
func (f *TokenFile) String() string { return f.Path }

// Secret is the token, without white space around it: no HTTP header could carry that. It is read again at most once a second.
// While the file can't be read or holds no token, it is the last good one; the error is of a file that never held one.
func (f *TokenFile) Secret() (schema.Secret, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refresh()
	if f.token == "" {
		return "", f.err
	}
	return f.token, nil
}

// Err is what was wrong with the file when it was last read: nil when it gave a token.
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

// readToken never quotes what it read.
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

// wrongToken says why a text can't be a bearer token (RFC 6750, section 2.1); empty: nothing is wrong.
func wrongToken(token string) string {
	switch {
	case wrapped(token):
		return "has the token in quotes: write it without"
	case strings.ContainsFunc(token, func(c rune) bool { return c <= ' ' || c > '~' }):
		return "has a character inside the token that an HTTP header can't carry, such as a blank or a letter that is not ASCII"
	}
	return ""
}
