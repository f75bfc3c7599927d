package charset

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"

	"dfinery-kafka/schema"
)

// Policy is what is done with a line that is valid UTF-8, whatever the charset.
type Policy uint8

const (
	// Decode reads every line in the charset.
	Decode Policy = iota
	// Guard reads every line in the charset, and fails with a *ConflictError at the first that is valid UTF-8 and would be another text then.
	Guard
	// Prefer leaves a line that is UTF-8, also broken UTF-8, as it is, and reads the others in the charset.
	Prefer
	// Detect is Prefer until the first line that is not ASCII. If that one is UTF-8, all are: nothing more is decoded.
	Detect
)

// ConflictError is a line that is valid UTF-8, and another text in the charset.
type ConflictError struct {
	Charset Charset
	Offset  int64 // of the line's first byte in the body
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("text at byte %d is valid UTF-8, and other text in %s", e.Offset, e.Charset.Name())
}

const (
	firstLine = 64 << 10
	// mostLine is the longest line that is decoded whole; a longer one is cut, and may lose the character at the cut.
	mostLine = 32 << 20
)

// longestMark is the length of the longest byte order mark.
const longestMark = 4

// broken replaces bytes that are not a character. Valid UTF-8 never contains it.
const broken = 0xff

// torn replaces a character that the body's end cuts. It is what begins a character in UTF-8.
const torn = 0xf0

// NewReader reads src, which has the charset c, as UTF-8. A byte order mark of UTF-16 or UTF-32 is dropped.
func NewReader(src io.Reader, c Charset, policy Policy) *Reader {
	return &Reader{src: src, charset: c, policy: policy, in: make([]byte, 0, firstLine)}
}

// Reader decodes a body line by line, so that what is broken in one line does not reach the next.
type Reader struct {
	src     io.Reader
	charset Charset
	policy  Policy
	decoder *encoding.Decoder

	in     []byte // read from src and not decoded
	offset int64  // of in[0] in the body
	out    []byte // decoded and not handed out
	room   []byte // the memory of out
	err    error  // of src, sticky
	fault  error  // of the text, sticky

	started  bool
	nonASCII bool // a line that is not ASCII was decoded
	asUTF8   bool // Detect has found UTF-8
}

// Charset names what the text read so far turned out to be: the charset; utf-8, when Detect found that; us-ascii, while Prefer or Detect
// has met nothing else.
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

// fill reads more of the source behind in.
func (r *Reader) fill() int {
	if len(r.in) == cap(r.in) {
		r.in = append(make([]byte, 0, 2*cap(r.in)), r.in...)
	}
	n, err := r.src.Read(r.in[len(r.in):cap(r.in)])
	r.in, r.err = r.in[:len(r.in)+n], err
	return n
}

// decode turns as much of in into text as is complete.
func (r *Reader) decode() {
	if !r.started && !r.begin() {
		return
	}
	r.room = r.room[:0]
	used := 0
	if r.charset.Wide() {
		r.room, used = r.charset.appendWide(r.room, r.in, r.err != nil)
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
	r.out = r.room
}

// begin examines the first bytes, once there are enough of them.
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
		r.charset = r.charset.ordered(r.in)
		return true
	}
	r.charset.kind, r.charset.bigEndian = marked.kind, marked.bigEndian
	r.in, r.offset = r.in[mark:], int64(mark)
	return true
}

// nextLine is the first line of in with its line feed; what is left of the body at its end; a part of a line that is too long; or nil when
// there is more to be read first.
func (r *Reader) nextLine(in []byte) []byte {
	if end := bytes.IndexByte(in, '\n'); end >= 0 {
		return in[:end+1]
	}
	switch {
	case r.err != nil, r.asUTF8:
		return in
	case len(in) < mostLine:
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

// appendLine decodes one line into room.
func (r *Reader) appendLine(line []byte, offset int64) {
	ascii := isASCII(line)
	plain := ascii && r.charset.name != "iso-2022-jp"
	if r.asUTF8 || plain {
		r.room = append(r.room, line...)
		return
	}
	isUTF8 := r.policy >= Prefer && looksUTF8(line)
	if isUTF8 && r.policy == Detect && !r.nonASCII {
		r.asUTF8 = true
	}
	r.nonASCII = r.nonASCII || !ascii
	if isUTF8 {
		r.room = append(r.room, line...)
		return
	}
	from := len(r.room)
	r.room = r.appendDecoded(r.room, line)
	if r.policy == Guard && utf8.Valid(line) && !bytes.Equal(r.room[from:], line) {
		r.room = r.room[:from]
		r.fault = &ConflictError{Charset: r.charset, Offset: offset}
	}
}

// looksUTF8 distinguishes a line of non-ASCII UTF-8, which may be invalid, from text in a single-byte charset. That has hardly ever
// the three or four bytes of a character of UTF-8 behind each other, and seldom two.
func looksUTF8(line []byte) bool {
	two, broken := 0, 0
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case size > 2:
			return true
		case size == 2:
			two++
		case r == utf8.RuneError:
			broken++
		}
		line = line[size:]
	}
	return two > broken
}

func isASCII(b []byte) bool {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
