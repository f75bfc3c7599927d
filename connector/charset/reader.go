package charset

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"dfinery-kafka/schema"
)

// Policy decides how a line is treated that is valid UTF-8 although another charset is declared.
type Policy uint8

const (
	// Decode decodes every line from the charset.
	Decode Policy = iota
	// Guard decodes every line from the charset, and fails with a *ConflictError at the first
	// line that is valid UTF-8 with a different text.
	Guard
	// Prefer keeps a line that looks like UTF-8, even with invalid bytes, and decodes the
	// others from the charset.
	Prefer
	// Detect acts like Prefer until the first line that is not ASCII. If that line is UTF-8,
	// the whole body is, and nothing more is decoded.
	Detect
)

// ConflictError reports a line that is valid UTF-8 and also valid, with a different text, in
// the charset.
type ConflictError struct {
	Charset Charset
	Offset  int64 // of the line's first byte in the body
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("text at byte %d is valid UTF-8, but different text in %s", e.Offset, e.Charset.Name())
}

const (
	initialBuffer = 64 << 10
	// maxLine is the longest line that is decoded in one piece. A longer line is split, and the
	// character at the split may be lost.
	maxLine = 32 << 20
)

// longestMark is the length of the longest byte order mark.
const longestMark = 4

// invalidByte replaces bytes that are not a character. Valid UTF-8 never contains it.
const invalidByte = 0xff

// truncatedByte replaces a character that is cut by the end of the body. In UTF-8 it starts a
// character.
const truncatedByte = 0xf0

// NewReader returns a reader that converts src from charset c to UTF-8. A byte order mark of
// UTF-16 or UTF-32 is removed.
func NewReader(src io.Reader, c Charset, policy Policy) *Reader {
	return &Reader{src: src, charset: c, policy: policy, in: make([]byte, 0, initialBuffer)}
}

// Reader decodes a body line by line, so that invalid bytes in one line do not affect the next.
type Reader struct {
	src     io.Reader
	charset Charset
	policy  Policy
	decoder *encoding.Decoder

	in     []byte // read from src and not yet decoded
	offset int64  // of in[0] in the body
	out    []byte // decoded and not yet returned
	outBuf []byte // the buffer behind out
	err    error  // of src, sticky
	fault  error  // of the text, sticky

	started  bool
	nonASCII bool // a line that is not ASCII was decoded
	asUTF8   bool // Detect has found UTF-8
}

// Charset is the charset of the text read so far: utf-8 if Detect has found that, us-ascii
// while Prefer or Detect has seen only ASCII, and otherwise the charset given to NewReader.
func (r *Reader) Charset() string {
	switch {
	case r.asUTF8:
		return schema.UTF8
	case r.policy >= Prefer && !r.nonASCII:
		return schema.ASCII
	}
	return r.charset.Name()
}

// Read implements io.Reader.
func (r *Reader) Read(b []byte) (int, error) {
	for len(r.out) == 0 {
		switch {
		case r.fault != nil:
			return 0, r.fault
		case r.err != nil && len(r.in) == 0:
			return 0, r.err
		case r.asUTF8 && len(r.in) == 0:
			return r.src.Read(b)
		case r.err == nil:
			if n := r.fill(); n == 0 && r.err == nil {
				return 0, nil // as the source did
			}
		}
		r.decode()
	}
	n := copy(b, r.out)
	r.out = r.out[n:]
	return n, nil
}

// fill appends more of the source to in.
func (r *Reader) fill() int {
	if len(r.in) == cap(r.in) {
		r.in = append(make([]byte, 0, 2*cap(r.in)), r.in...)
	}
	n, err := r.src.Read(r.in[len(r.in):cap(r.in)])
	r.in, r.err = r.in[:len(r.in)+n], err
	return n
}

// decode decodes the complete lines of in.
func (r *Reader) decode() {
	if !r.started && !r.begin() {
		return
	}
	r.outBuf = r.outBuf[:0]
	used := 0
	if r.charset.Wide() {
		r.outBuf, used = r.charset.appendWide(r.outBuf, r.in, r.err != nil)
	} else {
		for r.fault == nil && used < len(r.in) {
			line := r.nextLine(r.in[used:])
			if line == nil {
				break
			}
			r.appendLine(line, r.offset+int64(used))
			used += len(line)
		}
	}
	r.offset += int64(used)
	r.in = append(r.in[:0], r.in[used:]...)
	r.out = r.outBuf
}

// begin examines the first bytes. It reports false while there are too few.
func (r *Reader) begin() bool {
	if len(r.in) < longestMark && r.err == nil {
		return false
	}
	r.started = true
	if !r.charset.Wide() {
		return true
	}
	marked, mark := fromMark(r.in)
	if !marked.Wide() {
		r.charset = r.charset.withByteOrder(r.in)
		return true
	}
	r.charset.kind, r.charset.bigEndian = marked.kind, marked.bigEndian
	r.in, r.offset = r.in[mark:], int64(mark)
	return true
}

// nextLine returns the first line of in with its line feed. It is the rest at the end of the
// body, a part of a line that is too long, and nil when more must be read first.
func (r *Reader) nextLine(in []byte) []byte {
	if end := bytes.IndexByte(in, '\n'); end >= 0 {
		return in[:end+1]
	}
	switch {
	case r.err != nil, r.asUTF8:
		return in
	case len(in) < maxLine:
		return nil
	}
	// No encoding has a byte below 0x30 within a character, except for the escapes of iso-2022-jp.
	for end := len(in); end > 0; end-- {
		if in[end-1] < 0x30 {
			return in[:end]
		}
	}
	return in
}

// appendLine decodes one line into outBuf.
func (r *Reader) appendLine(line []byte, offset int64) {
	ascii := isASCII(line)
	plain := ascii && r.charset.name != "iso-2022-jp"
	if r.asUTF8 || plain {
		r.outBuf = append(r.outBuf, line...)
		return
	}
	isUTF8 := r.policy >= Prefer && looksUTF8(line)
	if isUTF8 && r.policy == Detect && !r.nonASCII {
		r.asUTF8 = true
	}
	r.nonASCII = r.nonASCII || !ascii
	if isUTF8 {
		r.outBuf = append(r.outBuf, line...)
		return
	}
	from := len(r.outBuf)
	r.outBuf = r.appendDecoded(r.outBuf, line)
	if r.policy == Guard && utf8.Valid(line) && !bytes.Equal(r.outBuf[from:], line) {
		r.outBuf = r.outBuf[:from]
		r.fault = &ConflictError{Charset: r.charset, Offset: offset}
	}
}

// looksUTF8 distinguishes a line of non-ASCII UTF-8, possibly with invalid bytes, from text in
// a single-byte charset. Such text hardly ever contains the byte sequence of a three or four
// byte UTF-8 character, and rarely that of a two byte one.
func looksUTF8(line []byte) bool {
	two, invalid := 0, 0
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case size > 2:
			return true
		case size == 2:
			two++
		case r == utf8.RuneError:
			invalid++
		}
		line = line[size:]
	}
	return two > invalid
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
