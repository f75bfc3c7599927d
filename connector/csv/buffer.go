package csv

import (
	"bytes"
	"errors"
	"io"
)

const (
	initialBuffer = 128 << 10
	// MaxTail is how far after a row the end of the body is searched for, in bytes.
	MaxTail = 16 << 10

	maxEmptyReads = 100 // consecutive reads that return neither bytes nor an error

	bom = "\ufeff"
)

// errNoProgress is like io.ErrNoProgress.
var errNoProgress = errors.New("reads of the body return neither bytes nor an error")

func (r *Reader) skipBOM() error {
	for r.end < len(bom) && string(r.buf[:r.end]) == bom[:r.end] {
		if err := r.fill(); err == io.EOF {
			return nil // Next handles a short body
		} else if err != nil {
			return err
		}
	}
	if string(r.buf[:len(bom)]) == bom {
		r.pos, r.next = len(bom), len(bom)
	}
	return nil
}

// fill appends more of the body at buf[end], after making room for it.
func (r *Reader) fill() error {
	if r.srcErr != nil {
		return r.srcErr
	}
	room := len(r.buf) - block
	if r.pos > room/2 || r.pos == r.end || r.end == room && r.pos > 0 {
		copy(r.buf, r.buf[r.pos:r.end])
		r.base += int64(r.pos)
		r.pos, r.next, r.end, r.whole = 0, r.next-r.pos, r.end-r.pos, max(0, r.whole-r.pos)
	}
	if r.end == room {
		grown := make([]byte, min(2*room, r.maxRow+2*MaxTail)+block)
		copy(grown, r.buf[:r.end])
		r.buf = grown
	}
	for range maxEmptyReads {
		n, err := r.src.Read(r.buf[r.end : len(r.buf)-block])
		if i := bytes.LastIndexByte(r.buf[r.end:r.end+n], '\n'); i >= 0 {
			r.whole = r.end + i + 1
		}
		r.end += n
		r.buf[r.end] = '\n'
		r.srcErr = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	r.srcErr = errNoProgress
	return r.srcErr
}

func trimCR(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\r' {
		return line[:n-1]
	}
	return line
}
