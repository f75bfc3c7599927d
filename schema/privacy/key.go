package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"dfinery-kafka/schema"
)

const (
	// MinKey is how many bytes a key has at least.
	MinKey = 32
	// maxKey bounds what is read of a file that is no key.
	maxKey = 64 << 10
)

// Key is the secret under which cells and lines are hashed. It is never printed,
// logged or encoded.
type Key struct{ secret []byte }

// NewKey refuses a secret that is too short to resist guessing.
func NewKey(secret []byte) (Key, error) {
	if len(secret) < MinKey {
		return Key{}, fmt.Errorf("holds a key of %d bytes, at least %d are needed: openssl rand -base64 48 makes one", len(secret), MinKey)
	}
	return Key{append([]byte(nil), secret...)}, nil
}

// ReadKey reads a key's file. One final line end is not part of the key. Its
// errors never quote the file.
func ReadKey(path string) (Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxKey+1))
	if err != nil {
		return Key{}, err
	}
	if len(text) > maxKey {
		return Key{}, errors.New(path + " is too large for a key")
	}
	if n := len(text); n > 0 && text[n-1] == '\n' {
		text = text[:n-1]
		if n := len(text); n > 0 && text[n-1] == '\r' {
			text = text[:n-1]
		}
	}
	key, err := NewKey(text)
	if err != nil {
		return Key{}, fmt.Errorf("%s %w", path, err)
	}
	return key, nil
}

// Equal tells whether both are the same key.
func (k Key) Equal(other Key) bool { return hmac.Equal(k.secret, other.secret) }

// ID tells keys apart and says nothing else of them; empty without a key.
func (k Key) ID() string {
	if len(k.secret) == 0 {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(k.derive("key id"))[:8]
}

// derive makes a key for one purpose. Were columns to share one, whoever can fill
// one hashed column could build a dictionary of another.
func (k Key) derive(purpose string) []byte {
	mac := hmac.New(sha256.New, k.secret)
	_, _ = io.WriteString(mac, purpose)
	return mac.Sum(nil)
}

func (k Key) String() string { return schema.Redacted }

// GoString redacts %#v.
func (k Key) GoString() string { return schema.Redacted }

// Format redacts every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, schema.Redacted) }

// MarshalText redacts every encoding.
func (k Key) MarshalText() ([]byte, error) { return []byte(schema.Redacted), nil }

// LogValue redacts slog's records.
func (k Key) LogValue() slog.Value { return slog.StringValue(schema.Redacted) }
