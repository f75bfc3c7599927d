package schema

// CopyWidth is how many bytes are copied at once. Most names and cells are shorter: a copy of a fixed length is a pair of instructions,
// one of a varying length a call, and a row needs about eighty. Of 40 columns, half of them
// empty, that saves 25 ns a row in the fingerprint and 55 in the JSON.
const CopyWidth = 32

// CopiedText is a text that is copied often.
type CopiedText struct {
	Text  []byte
	first [CopyWidth]byte // of Text, and zeros
}

// NewCopiedText takes a text that must not change any more.
func NewCopiedText(text []byte) CopiedText {
	t := CopiedText{Text: text}
	copy(t.first[:], text)
	return t
}

// Put writes the text at dst[n:] and returns where it ends. It may write CopyWidth bytes, all of which dst must have room for.
func (t *CopiedText) Put(dst []byte, n int) int {
	*(*[CopyWidth]byte)(dst[n:]) = t.first
	if len(t.Text) > CopyWidth {
		copy(dst[n:], t.Text)
	}
	return n + len(t.Text)
}

// Put does the same with the bytes of data that s spans.
func (s Span) Put(dst []byte, n int, data []byte) int {
	size := int(s.End - s.Start)
	if from := data[s.Start:]; size <= CopyWidth && len(from) >= CopyWidth {
		*(*[CopyWidth]byte)(dst[n:]) = *(*[CopyWidth]byte)(from)
	} else {
		copy(dst[n:], from[:size])
	}
	return n + size
}
