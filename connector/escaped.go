package connector

import (
	"bytes"
	"html"
	"strconv"
)

// longestEscape is more than one escaped letter takes.
const longestEscape = 12

// escaped is a text some of whose escapes are undone, and where each of its bytes came from.
type escaped struct {
	text   []byte
	origin []int // where text[i] began in the text given, and behind that where it all ended; nil when nothing is undone
}

// region is where text[from:to] came from.
func (e *escaped) region(from, to int) region {
	if e.origin == nil {
		return region{from, to}
	}
	return region{e.origin[from], e.origin[to]}
}

// undone is the text with one more level of escapes undone, whatever their kind.
func (e *escaped) undone() escaped {
	more := escaped{text: make([]byte, 0, len(e.text)), origin: make([]int, 0, len(e.text)+1)}
	at := 0
	for at < len(e.text) {
		c, size := unescape(e.text[at:])
		more.text = append(more.text, c)
		more.origin = append(more.origin, e.region(at, at).from)
		at += size
	}
	more.origin = append(more.origin, e.region(at, at).from)
	return more
}

// unescape reads one letter, escaped or not, and how many bytes it takes.
func unescape(b []byte) (c byte, size int) {
	switch {
	case b[0] == '%' && len(b) > 2:
		if c, ok := hexByte(b[1:3]); ok {
			return c, 3
		}
	case b[0] == '\\' && len(b) > 1:
		return unescapeBackslash(b)
	case b[0] == '&':
		end := bytes.IndexByte(b[:min(len(b), longestEscape)], ';')
		if text := html.UnescapeString(string(b[:end+1])); len(text) == 1 {
			return text[0], end + 1
		}
	case b[0] == '"' && len(b) > 1 && b[1] == '"':
		return '"', 2
	}
	return b[0], 1
}

// unescapeBackslash reads \u002B, \x2b and \+. Letters that stand for a control byte, as in \n, are left: a token has none.
func unescapeBackslash(b []byte) (c byte, size int) {
	switch c := b[1]; {
	case (c == 'u' || c == 'U') && len(b) > 5 && b[2] == '0' && b[3] == '0':
		if c, ok := hexByte(b[4:6]); ok {
			return c, 6
		}
	case (c == 'x' || c == 'X') && len(b) > 3:
		if c, ok := hexByte(b[2:4]); ok {
			return c, 4
		}
	case c < '0' || '9' < c && c < 'A' || 'Z' < c && c < 'a' || 'z' < c:
		return c, 2
	}
	return b[0], 1
}

func hexByte(digits []byte) (byte, bool) {
	value, err := strconv.ParseUint(string(digits), 16, 8)
	return byte(value), err == nil
}
