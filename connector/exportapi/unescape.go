package exportapi

import (
	"bytes"
	"html"
	"slices"
	"strconv"
)

const (
	// longestEscape is longer than any escape of one letter.
	longestEscape = 12
	// maxReadings limits in how many ways one position of a text is read, and so how
	// often a letter may have been escaped.
	maxReadings = 8
)

// letters is a text in all its readings. An escape may represent its letter or its
// literal characters: a text that was escaped twice, or contains a token that looks like
// an escape, has some of each.
type letters struct {
	text    []byte
	escapes [][]letter // by start index; nil if there are none
}

// letter is one letter of a reading, and the index of the next one.
type letter struct {
	c    byte
	next int
}

// region is a part of the text: text[from:to].
type region struct{ from, to int }

func newLetters(text []byte) *letters {
	l := &letters{text: text}
	for at := len(text) - 1; at >= 0; at-- { // the characters of an escape come after its start
		if begins := escape[text[at]]; begins != 0 && l.mayFollow(at+1, begins) {
			for l.unescape(at) {
			}
		}
	}
	return l
}

// escape has what may follow a character that starts an escape.
var escape = [256]kind{'%': hexDigit, '&': entityLetter, '\\': anything, '"': quote}

// kind is a set of characters.
type kind uint8

const (
	hexDigit kind = 1 << iota
	entityLetter
	quote
	anything
)

// kinds has the sets of each character.
var kinds = func() (of [256]kind) {
	for c := range of {
		of[c] = anything
		if bytes.IndexByte([]byte("0123456789abcdefABCDEF"), byte(c)) >= 0 {
			of[c] |= hexDigit
		}
		if c == '#' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			of[c] |= entityLetter
		}
	}
	of['"'] |= quote
	return of
}()

// mayFollow reports whether a letter at this index may be of a kind.
func (l *letters) mayFollow(at int, k kind) bool {
	return at < len(l.text) && (kinds[l.text[at]]&k != 0 || l.escapes != nil && len(l.escapes[at]) > 0)
}

// at yields each letter that may start at this index.
func (l *letters) at(at int) func(yield func(letter) bool) {
	return func(yield func(letter) bool) {
		if at >= len(l.text) || !yield(letter{l.text[at], at + 1}) || l.escapes == nil {
			return
		}
		for _, e := range l.escapes[at] {
			if !yield(e) {
				return
			}
		}
	}
}

// unescape adds the letters represented by escapes at this index, and reports whether
// there are any new ones.
func (l *letters) unescape(at int) (more bool) {
	add := func(c byte, next int) {
		if l.escapes == nil {
			l.escapes = make([][]letter, len(l.text))
		}
		known := l.escapes[at]
		if e := (letter{c, next}); len(known) < maxReadings && !slices.Contains(known, e) {
			l.escapes[at] = append(known, e)
			more = true
		}
	}
	for first := range l.at(at) {
		switch first.c {
		case '%':
			l.hex(first.next, 2, 0, add)
		case '\\':
			l.backslash(first.next, add)
		case '&':
			l.entity(first.next, []byte{'&'}, add)
		case '"':
			for second := range l.at(first.next) {
				if second.c == '"' {
					add('"', second.next)
				}
			}
		}
	}
	return more
}

// backslash reads \u002B, \x2b and \+ after the backslash. Escapes of control bytes, such as
// \n, are ignored: a token contains none.
func (l *letters) backslash(at int, add func(byte, int)) {
	for first := range l.at(at) {
		switch c := first.c; {
		case c == 'u' || c == 'U':
			l.hex(first.next, 4, 0, add)
		case c == 'x' || c == 'X':
			l.hex(first.next, 2, 0, add)
		case c < '0' || '9' < c && c < 'A' || 'Z' < c && c < 'a' || 'z' < c:
			add(c, first.next)
		}
	}
}

// hex reads the given number of further hexadecimal digits of value.
func (l *letters) hex(at, digits int, value uint64, add func(byte, int)) {
	if digits == 0 {
		if value < 256 {
			add(byte(value), at)
		}
		return
	}
	for digit := range l.at(at) {
		if kinds[digit.c]&hexDigit != 0 {
			v, _ := strconv.ParseUint(string(rune(digit.c)), 16, 8)
			l.hex(digit.next, digits-1, value<<4|v, add)
		}
	}
}

// entity reads the rest of an HTML entity.
func (l *letters) entity(at int, text []byte, add func(byte, int)) {
	if len(text) == longestEscape {
		return
	}
	for next := range l.at(at) {
		switch {
		case kinds[next.c]&entityLetter != 0:
			l.entity(next.next, append(text, next.c), add)
		case next.c == ';':
			if plain := html.UnescapeString(string(text) + ";"); len(plain) == 1 {
				add(plain[0], next.next)
			}
		}
	}
}
