package connector

import (
	"bytes"
	"dfinery-kafka/schema"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
)

const (
	// partial is how many letters of the token must end a text that was cut there, to be taken for its beginning.
	partial = 4
	// shortest is how long a token is that is taken out of names, too.
	shortest = 8
	// maxEscaped is how often a text may have been escaped.
	maxEscaped = 5
)

// scrubber takes the token out of what a server answered: in any letter case, escaped for URLs, JSON, Go, HTML or CSV, one within the other too,
// and in base64 at any alignment.
type scrubber struct {
	token  []byte   // folded
	base64 [][]byte // folded; for each alignment the letters that the token alone decides
}

func newScrubber(token schema.Secret) scrubber {
	s := scrubber{token: foldText([]byte(token.Reveal()))}
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), token.Reveal()...))
		whole := encoded[(8*shift+5)/6 : 8*(shift+len(token))/6]
		if len(whole) >= partial {
			s.base64 = append(s.base64, foldBase64([]byte(whole)))
		}
	}
	return s
}

func (s *scrubber) text(t string) string { return string(s.bytes([]byte(t))) }

// name is the name of a column without the token. Names go into records, the ledger and logs, so an ordinary name must stay as it is: a token
// of less than shortest letters is no secret and is left in, and so is the mere beginning of a token.
func (s *scrubber) name(t string) string {
	if len(s.token) < shortest {
		return t
	}
	const end = "\n" // which keeps the end of the name from being taken for a cut
	return strings.TrimSuffix(s.text(t+end), end)
}

// bytes is b without the token; it shares b's memory when there is none.
func (s *scrubber) bytes(b []byte) []byte {
	if len(s.token) == 0 {
		return b
	}
	var found []region
	text := escaped{text: b}
	for range maxEscaped {
		found = s.find(found, &text)
		more := text.undone()
		if len(more.text) == len(text.text) {
			break
		}
		text = more
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

// region is a part of the text that was given: text[from:to].
type region struct{ from, to int }

// find adds the places of the token in a text whose escapes are undone so far.
func (s *scrubber) find(found []region, e *escaped) []region {
	folded := foldText(e.text)
	for at := 0; ; {
		i := bytes.Index(folded[at:], s.token)
		if i < 0 {
			break
		}
		found = append(found, e.region(at+i, at+i+len(s.token)))
		at += i + len(s.token)
	}
	found = appendCut(found, e, folded, s.token)
	folded = foldBase64(e.text)
	for _, whole := range s.base64 {
		for at := 0; ; {
			i := bytes.Index(folded[at:], whole)
			if i < 0 {
				break
			}
			// The letters on both sides have some of the token's bits, too.
			from, to := at+i, at+i+len(whole)
			found = append(found, e.region(max(0, from-1), min(len(folded), to+2)))
			at = to
		}
		found = appendCut(found, e, folded, whole)
	}
	return found
}

// appendCut adds the place of secret's beginning, if the text ends with it, or with it and a part of an escape.
func appendCut(found []region, e *escaped, folded, secret []byte) []region {
	ends := []int{len(folded)}
	for at := len(folded) - 1; at >= max(0, len(folded)-longestEscape); at-- {
		if bytes.IndexByte([]byte(`%\&`), folded[at]) >= 0 {
			ends = append(ends, at)
		}
	}
	for _, end := range ends {
		for size := min(end, len(secret)-1); size >= partial; size-- {
			if bytes.HasSuffix(folded[:end], secret[:size]) {
				return append(found, e.region(end-size, len(folded)))
			}
		}
	}
	return found
}

// foldText is a copy of b in which letter case, and plus and space, which URLs confuse, are alike.
func foldText(b []byte) []byte {
	folded := bytes.Clone(b)
	for i, c := range folded {
		switch {
		case 'A' <= c && c <= 'Z':
			folded[i] = c + 'a' - 'A'
		case c == '+':
			folded[i] = ' '
		}
	}
	return folded
}

// foldBase64 is a copy of b in which base64's two alphabets are alike.
func foldBase64(b []byte) []byte {
	folded := bytes.Clone(b)
	for i, c := range folded {
		switch c {
		case '-':
			folded[i] = '+'
		case '_':
			folded[i] = '/'
		}
	}
	return folded
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

// GoString keeps the error from %#v, which prints fields.
func (e *scrubbedError) GoString() string { return e.text }
