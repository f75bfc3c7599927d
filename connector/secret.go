package connector

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// redacted stands wherever a secret would.
const redacted = "[redacted]"

// Secret is a text that is never printed, logged or encoded: only Reveal gives it.
type Secret string

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string { return redacted }

// GoString redacts %#v.
func (s Secret) GoString() string { return redacted }

// Format redacts every verb, %x and %q too.
func (s Secret) Format(f fmt.State, _ rune) { io.WriteString(f, redacted) }

// MarshalText redacts every encoding that asks for text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON redacts JSON.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// LogValue redacts slog's records.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// checkToken refuses what HTTP could not send, before an error could name it.
func checkToken(token Secret) error {
	if token.Reveal() == "" {
		return errors.New("it is empty")
	}
	for _, c := range []byte(token.Reveal()) {
		if c < ' ' || c == 0x7f {
			return errors.New("it has a control character, perhaps a newline")
		}
	}
	return nil
}
