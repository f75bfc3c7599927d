package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
)

// Secret is a token or a password. However it is printed, encoded or logged, it shows only that there is one.
type Secret string

const redacted = "(secret)"

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString redacts for %#v.
func (s Secret) GoString() string { return fmt.Sprintf("%q", s.String()) }

// Format redacts for every verb, %x and %d included.
func (s Secret) Format(f fmt.State, verb rune) { io.WriteString(f, s.String()) }

// MarshalText redacts, in JSON too.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue redacts for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

const maxSecret = 64 << 10

// readSecret reads a secret's file, without the white space around the secret.
func readSecret(path string) (Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	switch {
	case len(text) > maxSecret:
		return "", fmt.Errorf("%s is too large for a secret", path)
	case secret == "":
		return "", fmt.Errorf("%s is empty", path)
	}
	return Secret(secret), nil
}

// secret settles the pair of a plain variable and its _FILE, which must not both be set. White space around a secret is no
// part of it: files and Kubernetes secrets often end with a line end that nobody meant.
func (l *loader) secret(name string, plain *Secret, file string) {
	*plain = Secret(strings.TrimSpace(string(*plain)))
	if file == "" {
		return
	}
	if *plain != "" {
		l.fault(name+"_FILE", "is set beside "+name+": keep one of them")
		return
	}
	secret, err := readSecret(file)
	if err != nil {
		l.fault(name+"_FILE", "names a file that can't be used: "+reason(err))
		return
	}
	*plain = secret
	l.came(name, name+"_FILE")
}

// reason drops the operation's name, which says nothing to whoever sets the variable.
func reason(err error) string {
	if path, ok := errors.AsType[*os.PathError](err); ok {
		return path.Path + ": " + path.Err.Error()
	}
	return err.Error()
}
