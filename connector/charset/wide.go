package charset

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

// appendWide appends the complete characters of in, which is UTF-16 or UTF-32, as UTF-8, and
// returns how many bytes of in it used. The decoders of x/text can't be used: they do not
// distinguish a lone surrogate from a U+FFFD of the source. last is true if the body ends after
// in.
func (c Charset) appendWide(dst, in []byte, last bool) (text []byte, used int) {
	width := c.width()
	dst = grow(dst, 3*len(in)/width+3*utf8.UTFMax)
	for used+width <= len(in) {
		unit := c.unit(in[used:])
		size := width
		if c.kind == utf16Kind && utf16.IsSurrogate(unit) {
			if used+2*width > len(in) && !last {
				break
			}
			if used+2*width <= len(in) {
				if pair := utf16.DecodeRune(unit, c.unit(in[used+width:])); pair != utf8.RuneError {
					unit, size = pair, 2*width
				}
			}
		}
		if utf8.ValidRune(unit) {
			dst = utf8.AppendRune(dst, unit)
		} else {
			dst = append(dst, invalidByte)
		}
		used += size
	}
	if last && used < len(in) {
		dst, used = append(dst, truncatedByte), len(in)
	}
	return dst, used
}

// unit returns the first code unit of b.
func (c Charset) unit(b []byte) rune {
	switch {
	case c.kind == utf32Kind && c.bigEndian:
		return rune(binary.BigEndian.Uint32(b))
	case c.kind == utf32Kind:
		return rune(binary.LittleEndian.Uint32(b))
	case c.bigEndian:
		return rune(binary.BigEndian.Uint16(b))
	}
	return rune(binary.LittleEndian.Uint16(b))
}
