package charset

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// replacement is U+FFFD, which the decoders of x/text insert for invalid input.
const replacement = string(utf8.RuneError)

// maxCharBytes is the length of the longest encoded character, in gb18030.
const maxCharBytes = 4

// sourceReplacement is U+FFFD in gb18030, the only multi-byte charset that has it.
const sourceReplacement = "\x84\x31\xa4\x37"

// appendDecoded appends one line as UTF-8. The line end is ASCII in all charsets. It is not
// passed to the decoder, as some decoders would treat it as the second byte of an incomplete
// character.
func (r *Reader) appendDecoded(dst, line []byte) []byte {
	text := bytes.TrimRight(line, "\r\n")
	from := len(dst)
	dst = r.transform(dst, text)
	if bytes.Contains(dst[from:], []byte(replacement)) {
		if r.charset.name == "iso-2022-jp" { // stateful: its characters can't be decoded one by one
			dst = append(dst[:from], bytes.ReplaceAll(dst[from:], []byte(replacement), []byte{invalidByte})...)
		} else {
			dst = r.appendOneByOne(dst[:from], text, len(text) == len(line))
		}
	}
	return append(dst, line[len(text):]...)
}

// transform appends text as decoded by x/text.
func (r *Reader) transform(dst, text []byte) []byte {
	if r.decoder == nil {
		r.decoder = r.charset.encoding.NewDecoder()
	}
	r.decoder.Reset()
	for {
		dst = grow(dst, 3*len(text)+utf8.UTFMax)
		n, used, err := r.decoder.Transform(dst[len(dst):cap(dst)], text, true)
		dst, text = dst[:len(dst)+n], text[used:]
		if err != transform.ErrShortDst {
			return dst
		}
	}
}

// grow returns dst with room for n more bytes.
func grow(dst []byte, n int) []byte {
	if cap(dst)-len(dst) >= n {
		return dst
	}
	return append(make([]byte, 0, 2*cap(dst)+n), dst...)
}

// appendOneByOne appends text that contains invalid bytes. last is true if the body ends after it.
func (r *Reader) appendOneByOne(dst, text []byte, last bool) []byte {
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			dst, text = append(dst, text[0]), text[1:]
			continue
		}
		size, character := r.character(text)
		switch {
		case size > 0:
			dst, text = append(dst, character...), text[size:]
		case last && r.incomplete(text):
			return append(dst, truncatedByte)
		default:
			dst, text = append(dst, invalidByte), text[1:]
		}
	}
	return dst
}

// character decodes the first character of text. The size is 0 if text starts with an invalid byte.
func (r *Reader) character(text []byte) (size int, character string) {
	if r.charset.name == "gb18030" && strings.HasPrefix(string(text[:min(maxCharBytes, len(text))]), sourceReplacement) {
		return maxCharBytes, replacement
	}
	for size := 1; size <= min(maxCharBytes, len(text)); size++ {
		var out [2 * utf8.UTFMax]byte
		n, used, err := r.decoder.Transform(out[:], text[:size], true)
		if err == nil && used == size && utf8.RuneCount(out[:n]) == 1 && string(out[:n]) != replacement {
			return size, string(out[:n])
		}
	}
	return 0, ""
}

// incomplete reports whether text is the start of a character that is cut.
func (r *Reader) incomplete(text []byte) bool {
	var out [utf8.UTFMax]byte
	_, used, err := r.decoder.Transform(out[:], text, false)
	return err == transform.ErrShortSrc && used == 0
}
