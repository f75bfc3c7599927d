package exporttest

import (
	"compress/gzip"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// block is how much CSV is buffered before it is written.
const block = 64 << 10

var (
	errGone   = errors.New("the client went away")
	errBroken = errors.New("the body was cut")
)

// body buffers the CSV of a call, counts its bytes, and cuts it at a position. Lines are
// appended to buf, each after a call of room, so that the last line can always be changed.
// Without out it only measures.
type body struct {
	a        *answer
	out      io.Writer // the response, or the compression in front of it
	buf      []byte
	rows     int           // good rows appended
	sent     int64         // bytes of CSV written, before compression
	position int64         // where it is cut; AtEnd without a break or before its position is known
	piece    int           // bytes to write and flush at once; 0 means any number, not flushed
	pause    time.Duration // after each piece
}

// room writes the buffer if it is full.
func (b *body) room() error {
	if len(b.buf) < block {
		return nil
	}
	return b.emit(false)
}

// emit writes the buffer, up to the break. Before the last byte of a complete body, which shows
// the client the end, it marks the call as ended in the server's record.
func (b *body) emit(whole bool) error {
	data := b.buf
	b.buf = b.buf[:0]
	if b.out == nil {
		b.sent += int64(len(data))
		return nil
	}
	if keep := b.position - b.sent; int64(len(data)) > keep {
		if err := b.pass(data[:keep], false); err != nil {
			return err
		}
		return b.breakOff()
	}
	return b.pass(data, whole)
}

// end writes the last lines. It returns nil if close completes the body.
func (b *body) end(then Break) error {
	if err := b.emit(then == Never); err != nil || then == Never || b.out == nil {
		return err
	}
	return b.breakOff()
}

// pass writes in pieces.
func (b *body) pass(data []byte, whole bool) error {
	for len(data) > 0 {
		n := len(data)
		if b.piece > 0 {
			n = min(n, b.piece)
		}
		piece := data[:n]
		data = data[n:]
		b.sent += int64(n)
		if whole && len(data) == 0 {
			b.count(true)
		}
		if _, err := b.out.Write(piece); err != nil {
			return errGone
		}
		if b.piece == 0 {
			continue
		}
		b.flush()
		if err := wait(b.a.r.Context(), b.pause); err != nil {
			return err
		}
	}
	return nil
}

// breakOff cuts the body as the fault says.
func (b *body) breakOff() error {
	switch b.a.fault.Then {
	case End:
		b.count(false)
		b.close()
	case Fail:
		b.count(false)
		_, _ = b.out.Write(b.a.failure(b.a.fault.say())) // fails only when the client went away
		b.close()
	case Close:
		b.flush()
		b.count(false)
		panic(http.ErrAbortHandler) // net/http closes the connection without completing the body
	case Reset:
		b.flush()
		b.count(false)
		b.reset()
	case Stall:
		b.flush()
		b.count(false)
		<-b.a.r.Context().Done()
	}
	return errBroken
}

// count fills the call's record and, except for a stall, marks the call as ended in the
// server's record.
func (b *body) count(whole bool) {
	b.a.update(func(c *Call) { c.Rows, c.Bytes, c.Whole = int64(b.rows), b.sent, whole })
	if b.a.fault.Then != Stall {
		b.a.release()
	}
}

// flush sends all that was written. An error is returned by the next write.
func (b *body) flush() {
	if z, ok := b.out.(*gzip.Writer); ok {
		_ = z.Flush()
	}
	_ = http.NewResponseController(b.a.w).Flush()
}

// close completes a compressed body; net/http completes the others.
func (b *body) close() {
	if z, ok := b.out.(*gzip.Writer); ok {
		_ = z.Close() // fails only when the client went away
	}
}

// reset sends a TCP RST; a connection without TCP is closed.
func (b *body) reset() {
	conn, _, err := http.NewResponseController(b.a.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // HTTP/2, or the client went away
	}
	tcp := conn
	if t, ok := conn.(*tls.Conn); ok {
		tcp = t.NetConn()
	}
	if t, ok := tcp.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // so that Close discards unsent data
		_ = t.Close()
		return
	}
	_ = conn.Close()
}
