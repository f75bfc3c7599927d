// Package charset decodes bodies whose answer declares another character encoding than UTF-8.
//
// It promises that a byte sequence that the encoding does not have never becomes a character: it becomes the byte 0xFF, which makes the
// text around it invalid UTF-8, while a U+FFFD that the source really has stays one. Line feeds, commas and quotes survive broken sequences,
// so that a broken cell spoils its own row alone. It performs no I/O of its own and keeps no state between bodies.
package charset

import (
	"bytes"

	"golang.org/x/text/encoding"

	"dfinery-kafka/schema"
)

// kind is how a charset's bytes are laid out, which decides how they are decoded.
type kind uint8

const (
	utf8Kind   kind = iota
	singleByte      // one byte a character, ASCII below 0x80
	multiByte       // ASCII and sequences that hold no line feed
	utf16Kind
	utf32Kind
)

// Charset is a character encoding that bodies can be decoded from. The zero value is UTF-8.
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

// IsUTF8 says that nothing has to be decoded.
func (c Charset) IsUTF8() bool { return c.kind == utf8Kind }

// SingleByte says that the charset has one byte a character. Many servers declare such a charset by default for text that is UTF-8.
func (c Charset) SingleByte() bool { return c.kind == singleByte }

// Wide says that the charset has two or four bytes a character, which no UTF-8 text can be confused with.
func (c Charset) Wide() bool { return c.kind == utf16Kind || c.kind == utf32Kind }

// marks are the byte order marks. One of UTF-32 begins with one of UTF-16, so it is listed before it.
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

// Marks are the byte order marks that FromMark knows.
func Marks() []string {
	list := make([]string, len(marks))
	for i := range marks {
		list[i] = marks[i].mark
	}
	return list
}

// FromMark is the charset of the byte order mark at the beginning of a body; ok is false without one.
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

// ordered settles the byte order of a utf-16 or utf-32 that does not name it, from the first bytes of a body without a mark. A CSV begins with
// mostly ASCII characters, whose upper bytes are 0; with nothing to go by it is little-endian, as browsers take it.
func (c Charset) ordered(lead []byte) Charset {
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
