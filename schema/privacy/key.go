package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"

	"dfinery-kafka/schema"
)

// MinKey is how many bytes a key has at least.
const MinKey = 32

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

// Equal reports whether both are the same key.
func (k Key) Equal(other Key) bool { return hmac.Equal(k.secret, other.secret) }

// ID identifies the key and reveals nothing else of it; empty without a key.
func (k Key) ID() string {
	if len(k.secret) == 0 {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(k.derive("key id"))[:8]
}

// derive makes a key for one purpose. If columns shared one, anyone who can fill
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
