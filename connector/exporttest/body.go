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

// block is how much CSV is gathered before it is written.
const block = 64 << 10

var (
	errGone   = errors.New("the client went away")
	errBroken = errors.New("the body was broken off")
)

// body takes a call's CSV as it is made, counts its bytes, and breaks it off at a position. Lines are appended to buf, each after
// room: so the last line is always there to be changed. Without an out it only measures, and breaks nothing off.
type body struct {
	a        *answer
	out      io.Writer // the response, or the compression in front of it
	buf      []byte
	rows     int           // good rows appended
	sent     int64         // bytes of CSV written, before compression
	position int64         // where it breaks off; AtEnd without a break or before its place is known
	piece    int           // bytes to write and flush at once; 0 means any number, not flushed
	pause    time.Duration // after each piece
}

// room writes what has gathered, if it is much.
func (b *body) room() error {
	if len(b.buf) < block {
		return nil
	}
	return b.emit(false)
}

// emit writes what has gathered, up to the break. Before the last byte of a whole body, which shows the client the end,
// the call is ended in the server's record of calls.
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

// end writes the last lines. It returns nil if the body is to be completed by close.
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

// breakOff does what the fault says at its position.
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

// count fills the call's record and, but for a stall, ends the call in the server's record of calls.
func (b *body) count(whole bool) {
	b.a.update(func(c *Call) { c.Rows, c.Bytes, c.Whole = int64(b.rows), b.sent, whole })
	if b.a.fault.Then != Stall {
		b.a.release()
	}
}

// flush sends all that was written. An error shows at the next write.
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

// reset sends a TCP RST; a connection that knows none is closed.
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
		_ = t.SetLinger(0) // then Close discards what was not sent yet
		_ = t.Close()
		return
	}
	_ = conn.Close()
}
