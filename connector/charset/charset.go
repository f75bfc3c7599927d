// Package charset decodes bodies whose answer declares a character encoding other than UTF-8.
//
// A byte sequence that is invalid in the encoding never becomes a character: it becomes the
// byte 0xFF, which makes the text around it invalid UTF-8. A U+FFFD that is really in the
// source is preserved. Line feeds, commas and quotes survive invalid sequences, so that an
// invalid cell affects only its own row. The package performs no I/O and keeps no state between
// bodies.
package charset

import (
	"bytes"

	"golang.org/x/text/encoding"

	"dfinery-kafka/schema"
)

// kind is the byte layout of a charset. It decides how a body is decoded.
type kind uint8

const (
	utf8Kind   kind = iota
	singleByte      // one byte per character, ASCII below 0x80
	multiByte       // ASCII and sequences without a line feed
	utf16Kind
	utf32Kind
)

// Charset is a character encoding from which bodies can be decoded. The zero value is UTF-8.
type Charset struct {
	name      string // canonical, in lower case; empty: utf-8
	kind      kind
	bigEndian bool
	anyEndian bool // utf-16 or utf-32 without a byte order in the name
	encoding  encoding.Encoding
}

// Name is the charset's canonical name, for example euc-kr.
func (c Charset) Name() string {
	if c.name == "" {
		return schema.UTF8
	}
	return c.name
}

// IsUTF8 reports whether the charset is UTF-8, which needs no decoding.
func (c Charset) IsUTF8() bool { return c.kind == utf8Kind }

// SingleByte reports whether each character is one byte. Many servers declare such a charset by
// default for text that is UTF-8.
func (c Charset) SingleByte() bool { return c.kind == singleByte }

// Wide reports whether the charset uses code units of two or four bytes, which can't be
// confused with UTF-8.
func (c Charset) Wide() bool { return c.kind == utf16Kind || c.kind == utf32Kind }

// marks are the byte order marks. A mark of UTF-32 starts with one of UTF-16, so it is listed
// first.
var marks = []struct {
	mark    string
	charset Charset
}{
	{"\xef\xbb\xbf", Charset{}},
	{"\xff\xfe\x00\x00", Charset{name: "utf-32le", kind: utf32Kind}},
	{"\x00\x00\xfe\xff", Charset{name: "utf-32be", kind: utf32Kind, bigEndian: true}},
	{"\xff\xfe", Charset{name: "utf-16le", kind: utf16Kind}},
	{"\xfe\xff", Charset{name: "utf-16be", kind: utf16Kind, bigEndian: true}},
}

// Marks lists the byte order marks that FromMark recognizes.
func Marks() []string {
	list := make([]string, len(marks))
	for i := range marks {
		list[i] = marks[i].mark
	}
	return list
}

// FromMark returns the charset of the byte order mark at the start of a body; ok is false
// without one.
func FromMark(lead []byte) (c Charset, ok bool) {
	c, size := fromMark(lead)
	return c, size > 0
}

func fromMark(lead []byte) (c Charset, size int) {
	for _, m := range marks {
		if bytes.HasPrefix(lead, []byte(m.mark)) {
			return m.charset, len(m.mark)
		}
	}
	return Charset{}, 0
}

// withByteOrder guesses the byte order of utf-16 or utf-32 from the first bytes of a body that
// has no byte order mark. The characters at the start of a CSV are mostly ASCII, so their upper
// bytes are 0. The default is little-endian, as in browsers.
func (c Charset) withByteOrder(lead []byte) Charset {
	if !c.anyEndian {
		return c
	}
	width, zeros := c.width(), [4]int{}
	for i, b := range lead {
		if b == 0 {
			zeros[i%width]++
		}
	}
	c.anyEndian, c.bigEndian = false, zeros[0] > zeros[width-1]
	return c
}

func (c Charset) width() int {
	if c.kind == utf32Kind {
		return 4
	}
	return 2
}
