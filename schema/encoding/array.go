package encoding

import "unicode/utf8"

// An array is a JSON array of strings or numbers, without null and nesting. White
// space is as in RFC 8259.

func skipSpace(cell []byte, at int) int {
	for at < len(cell) && (cell[at] == ' ' || cell[at] == '\t' || cell[at] == '\n' || cell[at] == '\r') {
		at++
	}
	return at
}

// scanArray counts the elements of an array and calls each, unless it is nil,
// with the bytes of every element as they are in the cell, including a string's
// quotes. ok is false if the cell is not such an array; each may have been called
// for elements before the error.
func scanArray(cell []byte, kind Kind, each func(element []byte)) (count int, ok bool) {
	at := skipSpace(cell, 0)
	if at == len(cell) || cell[at] != '[' {
		return 0, false
	}
	at = skipSpace(cell, at+1)
	if at < len(cell) && cell[at] == ']' {
		return 0, skipSpace(cell, at+1) == len(cell)
	}
	for {
		end := elementEnd(cell, at, kind)
		if end < 0 {
			return 0, false
		}
		if each != nil {
			each(cell[at:end])
		}
		count++
		at = skipSpace(cell, end)
		if at == len(cell) {
			return 0, false
		}
		switch cell[at] {
		case ']':
			return count, skipSpace(cell, at+1) == len(cell)
		case ',':
			at = skipSpace(cell, at+1)
		default:
			return 0, false
		}
	}
}

// elementEnd is the end of the element at this index; -1 if it is not of the kind.
func elementEnd(cell []byte, at int, kind Kind) int {
	if kind == StringArray {
		return stringEnd(cell, at)
	}
	end := at
	for end < len(cell) && cell[end] != ',' && cell[end] != ']' && cell[end] != ' ' && cell[end] != '\t' && cell[end] != '\n' && cell[end] != '\r' {
		end++
	}
	ok := false
	if kind == LongArray {
		_, ok = parseLong(cell[at:end])
	} else {
		_, ok = parseDouble(cell[at:end])
	}
	if !ok {
		return -1
	}
	return end
}

// stringEnd is the end of the JSON string at this index; -1 for an invalid one:
// with a control character, an unknown escape, or half a surrogate pair.
func stringEnd(cell []byte, at int) int {
	if at == len(cell) || cell[at] != '"' {
		return -1
	}
	at++
	for at < len(cell) {
		switch c := cell[at]; {
		case c == '"':
			return at + 1
		case c < 0x20:
			return -1
		case c != '\\':
			at++
		default:
			_, n := unescape(cell[at:])
			if n == 0 {
				return -1
			}
			at += n
		}
	}
	return -1
}

// unescape decodes the escape at the start of text and returns its length in
// bytes; 0 for an invalid one.
func unescape(text []byte) (r rune, size int) {
	if len(text) < 2 {
		return 0, 0
	}
	switch text[1] {
	case '"', '\\', '/':
		return rune(text[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
		return unescapeUnicode(text)
	}
	return 0, 0
}

func unescapeUnicode(text []byte) (rune, int) {
	high, ok := hex4(text)
	switch {
	case !ok || high >= 0xdc00 && high < 0xe000:
		return 0, 0
	case high < 0xd800 || high >= 0xe000:
		return high, 6
	}
	low, ok := hex4(text[6:])
	if !ok || low < 0xdc00 || low >= 0xe000 {
		return 0, 0
	}
	return (high-0xd800)<<10 + (low - 0xdc00) + 0x10000, 12
}

// hex4 parses \uXXXX.
func hex4(text []byte) (r rune, ok bool) {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return 0, false
	}
	for _, c := range text[2:6] {
		r <<= 4
		switch {
		case c-'0' <= 9:
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

// appendUnquoted appends the text of a JSON string that stringEnd accepts.
func appendUnquoted(dst, element []byte) []byte {
	text := element[1 : len(element)-1]
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			dst = append(dst, text[i])
			i++
			continue
		}
		r, n := unescape(text[i:])
		dst = utf8.AppendRune(dst, r)
		i += n
	}
	return dst
}
