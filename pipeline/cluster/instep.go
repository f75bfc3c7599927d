package cluster

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// inStep is a connection to a broker on which each answer must belong to the oldest unanswered
// request. Another answer, such as a duplicate, closes it: kafka-go checks the correlation id
// only after it has decoded the answer as the expected kind, and panics if it is of another
// kind.
type inStep struct {
	net.Conn

	mu      sync.Mutex // guards awaited; requests and answers have a goroutine each, or the same
	awaited []int32    // the correlation ids of requests without an answer
	out, in frames
}

// frames parses a stream of requests or answers: each is a size in 4 bytes, followed by that
// many bytes.
type frames struct {
	head [12]byte // start of the current frame
	have int      // bytes of head
	rest int      // bytes of the frame after head
}

// next consumes bytes until the first n bytes of a frame are complete. It returns how many it
// consumed, and whether they are complete.
func (f *frames) next(p []byte, n int) (taken int, ok bool) {
	if f.rest > 0 {
		taken = min(f.rest, len(p))
		f.rest -= taken
		return taken, false
	}
	taken = copy(f.head[f.have:n], p)
	if f.have += taken; f.have < n {
		return taken, false
	}
	f.have = 0
	f.rest = max(0, 4+int(int32(binary.BigEndian.Uint32(f.head[:])))-n)
	return taken, true
}

// Write implements net.Conn.
func (c *inStep) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n, ok := c.out.next(rest, 12) // size, kind, version, correlation id
		if rest = rest[n:]; ok {
			c.mu.Lock()
			c.awaited = append(c.awaited, int32(binary.BigEndian.Uint32(c.out.head[8:])))
			c.mu.Unlock()
		}
	}
	return c.Conn.Write(p)
}

// Read implements net.Conn.
func (c *inStep) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	for rest := p[:n]; len(rest) > 0; {
		taken, ok := c.in.next(rest, 8) // size, correlation id
		if rest = rest[taken:]; ok {
			if err := c.answered(int32(binary.BigEndian.Uint32(c.in.head[4:]))); err != nil {
				c.Conn.Close()
				return 0, err
			}
		}
	}
	return n, err
}

// answered handles the id of an answer.
func (c *inStep) answered(id int32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.awaited) == 0 || c.awaited[0] != id {
		return fmt.Errorf("the broker's answer is to request %d, awaited are those to %v: %w", id, c.awaited, io.ErrUnexpectedEOF)
	}
	c.awaited = append(c.awaited[:0], c.awaited[1:]...)
	return nil
}
