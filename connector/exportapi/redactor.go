package exportapi

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"dfinery-kafka/schema"
)

const (
	// minPartial is how many letters of the token at the end of a truncated text count as the
	// start of the token.
	minPartial = 4
	// minNameToken is the length from which a token is also redacted in column names.
	minNameToken = 8
)

// redactor removes the token from the text of a server: in any letter case, escaped for
// URLs, JSON, Go, HTML or CSV, also repeatedly, and in base64 at any alignment.
type redactor struct {
	of     schema.Secret
	token  []byte   // folded
	base64 [][]byte // folded; for each alignment the letters that depend only on the token
}

func newRedactor(token schema.Secret) redactor {
	s := redactor{of: token, token: folded([]byte(token.Reveal()), foldText)}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), token.Reveal()...))
		whole := encoded[(8*shift+5)/6 : 8*(shift+len(token))/6]
		if len(whole) >= minPartial {
			s.base64 = append(s.base64, folded([]byte(whole), foldBase64))
		}
	}
	return s
}

func (s *redactor) text(t string) string { return string(s.bytes([]byte(t))) }

// name is the name of a column without the token. Names go into records, the ledger and logs,
// so an ordinary name must not change: a token shorter than minNameToken is no secret and is
// not redacted, nor is a mere prefix of a token.
func (s *redactor) name(t string) string {
	if len(s.token) < minNameToken {
		return t
	}
	const end = "\n" // so that the end of the name does not look like a cut
	return strings.TrimSuffix(s.text(t+end), end)
}

// bytes returns b without the token; b itself if there is none.
func (s *redactor) bytes(b []byte) []byte {
	if len(s.token) == 0 {
		return b
	}
	text := newLetters(b)
	found := text.find(nil, s.token, foldText)
	for _, encoded := range s.base64 {
		for _, r := range text.find(nil, encoded, foldBase64) {
			found = append(found, text.widened(r))
		}
	}
	if len(found) == 0 {
		return b
	}
	slices.SortFunc(found, func(x, y region) int { return x.from - y.from })
	var clean []byte
	kept := 0
	for _, r := range found {
		if r.from >= kept {
			clean = append(append(clean, b[kept:r.from]...), schema.Redacted...)
		}
		kept = max(kept, r.to)
	}
	return append(clean, b[kept:]...)
}

func folded(b []byte, fold func(byte) byte) []byte {
	b = bytes.Clone(b)
	for i := range b {
		b[i] = fold(b[i])
	}
	return b
}

// foldText folds letter case, and plus to space, as URLs use both.
func foldText(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c + 'a' - 'A'
	case c == '+':
		return ' '
	}
	return c
}

// foldBase64 maps base64's two alphabets to one.
func foldBase64(c byte) byte {
	switch c {
	case '-':
		return '+'
	case '_':
		return '/'
	}
	return c
}

// err returns e without the token in its text.
func (s *redactor) err(e error) error {
	if e == nil {
		return nil
	}
	text := e.Error()
	if clean := s.text(text); clean != text {
		return &redactedError{text: clean, err: e}
	}
	return e
}

// redactedError has the text of an error without the token. errors.Is works, but there is no
// Unwrap, so that no code can print the original error.
type redactedError struct {
	text string
	err  error
}

func (e *redactedError) Error() string        { return e.text }
func (e *redactedError) Is(target error) bool { return errors.Is(e.err, target) }

// GoString hides the error from %#v, which prints fields.
func (e *redactedError) GoString() string { return e.text }
