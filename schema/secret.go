package schema

import (
	"fmt"
	"io"
	"log/slog"
)

// Redacted replaces a secret in any text.
const Redacted = "[redacted]"

// Secret is a text that is never printed, logged or encoded. Only Reveal returns it.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string { return Redacted }

// GoString redacts %#v.
func (s Secret) GoString() string { return Redacted }

// Format redacts every verb, including %x and %q.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, Redacted) }

// MarshalText redacts every text encoding.
func (s Secret) MarshalText() ([]byte, error) { return []byte(Redacted), nil }

// MarshalJSON redacts JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Redacted + `"`), nil }

// LogValue redacts slog's records.
func (s Secret) LogValue() slog.Value { return slog.StringValue(Redacted) }
