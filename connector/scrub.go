package connector

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html"
	"strconv"
	"strings"
)

// partial is how many letters of the token must stand at the end of a text that was cut there, to be taken for its beginning.
const partial = 4

// scrubber takes the token out of what a server answered: as is, in any letter case, escaped for URLs, JSON, Go or HTML (also twice),
// and in base64 at any alignment.
type scrubber struct {
	token  string
	base64 []string // for each alignment the letters that the token alone decides
}

func newScrubber(token Secret) scrubber {
	s := scrubber{token: token.Reveal()}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), s.token...))
		whole := encoded[(8*shift+5)/6 : 8*(shift+len(s.token))/6]
		if len(whole) >= partial {
			s.base64 = append(s.base64, whole)
		}
	}
	return s
}

func (s *scrubber) text(t string) string { return string(s.bytes([]byte(t))) }

// bytes is b without the token; it shares b's memory when there is none.
func (s *scrubber) bytes(b []byte) []byte {
	if s.token == "" {
		return b
	}
	var clean []byte
	kept := 0
	for i := 0; i < len(b); {
		from, to := s.find(b, i)
		if to == 0 {
			i++
			continue
		}
		clean = append(clean, b[kept:max(from, kept)]...)
		clean = append(clean, redacted...)
		kept, i = to, to
	}
	if kept == 0 {
		return b
	}
	return append(clean, b[kept:]...)
}

// find gives the place of a token that begins at i; to is 0 when none does.
func (s *scrubber) find(b []byte, i int) (from, to int) {
	if n := match(b[i:], s.token, standsFor); n > 0 {
		return i, i + n
	}
	for _, encoded := range s.base64 {
		n := match(b[i:], encoded, standsForBase64)
		if n == 0 {
			continue
		}
		// The letters on both sides have some of the token's bits too.
		from, to = i, i+n
		if from > 0 && inBase64(b[from-1]) {
			from--
		}
		for range 3 {
			if to < len(b) && (inBase64(b[to]) || b[to] == '=') {
				to++
			}
		}
		return from, to
	}
	return 0, 0
}

// match is the length of what stands for all of text at the start of b, or for its beginning when b ends there; else 0.
func match(b []byte, text string, stands func(b []byte, c byte) int) int {
	at := 0
	for i := range len(text) {
		if at == len(b) {
			if i >= partial {
				return at
			}
			return 0
		}
		n := stands(b[at:], text[i])
		if n == 0 {
			return 0
		}
		at += n
	}
	return at
}

// standsFor is the length of what stands for c at the start of b, or 0.
func standsFor(b []byte, c byte) int {
	switch {
	case lower(b[0]) == lower(c), b[0] == '+' && c == ' ':
		return 1
	case b[0] == '%':
		return percent(b, c)
	case b[0] == '\\':
		return backslash(b, c)
	case b[0] == '&':
		return entity(b, c)
	}
	return 0
}

// standsForBase64 is standsFor with both alphabets of base64 taken for one, and letter case told apart.
func standsForBase64(b []byte, c byte) int {
	switch {
	case b[0] == c, b[0] == '-' && c == '+', b[0] == '_' && c == '/':
		return 1
	case inBase64(b[0]) || c != '+' && c != '/':
		return 0
	}
	return standsFor(b, c)
}

// percent reads %2B, and %252B.
func percent(b []byte, c byte) int {
	at := 1
	for bytes.HasPrefix(b[at:], []byte("25")) && len(b) >= at+4 {
		at += 2
	}
	return hexStands(b, at, 2, c)
}

// backslash reads \u002B, \x2b and \+, behind any number of backslashes: each time that a text is quoted again makes more of them.
func backslash(b []byte, c byte) int {
	at := 0
	for at < len(b) && b[at] == '\\' {
		at++
	}
	switch {
	case at == len(b):
		return 0
	case b[at] == 'u' && hexStands(b, at+1, 4, c) > 0:
		return at + 5
	case b[at] == 'x' && hexStands(b, at+1, 2, c) > 0:
		return at + 3
	case lower(b[at]) == lower(c):
		return at + 1
	}
	return 0
}

// hexStands is the place behind the digits at b[at:], if they are c's.
func hexStands(b []byte, at, digits int, c byte) int {
	if len(b) < at+digits {
		return 0
	}
	value, err := strconv.ParseUint(string(b[at:at+digits]), 16, 32)
	if err != nil || value > 0x7f && digits > 2 || lower(byte(value)) != lower(c) {
		return 0
	}
	return at + digits
}

// entity reads &#43;, &#x2b; and &plus;, and &amp;plus;.
func entity(b []byte, c byte) int {
	at := 1
	for bytes.HasPrefix(b[at:], []byte("amp;")) && c != '&' {
		at += len("amp;")
	}
	size := bytes.IndexByte(b[at:min(len(b), at+12)], ';')
	if size < 0 {
		return 0
	}
	if text := html.UnescapeString("&" + string(b[at:at+size+1])); len(text) != 1 || lower(text[0]) != lower(c) {
		return 0
	}
	return at + size + 1
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func inBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("+/-_", c) >= 0
}

// err is e without the token in its text.
func (s *scrubber) err(e error) error {
	if e == nil {
		return nil
	}
	text := e.Error()
	if clean := s.text(text); clean != text {
		return &scrubbedError{text: clean, err: e}
	}
	return e
}

// scrubbedError has the text of an error without the token. It can be asked what it is, but gives the error itself to nobody
// who would print it: there is no Unwrap.
type scrubbedError struct {
	text string
	err  error
}

func (e *scrubbedError) Error() string        { return e.text }
func (e *scrubbedError) Is(target error) bool { return errors.Is(e.err, target) }
