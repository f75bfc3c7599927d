package cluster

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
)

// inStep is a connection to a broker on which each answer must be that to the oldest request without one. Another one, such as an answer
// that comes twice, ends it: kafka-go looks at the correlation id only after it has decoded the answer as what it waits for, and what is of
// another kind makes it panic.
type inStep struct {
	net.Conn

	mu      sync.Mutex // guards awaited; requests and answers have a goroutine each, or the same
	awaited []int32    // the correlation ids of requests without an answer
	out, in frames
}

// frames follows a stream of requests or answers: each is its size in 4 bytes, then so many bytes.
type frames struct {
	head [12]byte // of the frame under way, as far as it is looked at
	have int      // bytes of head
	rest int      // bytes of the frame behind head
}

// next takes bytes of the stream until the first n bytes of a frame are there, and returns how many it took, and whether they are.
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

// answered takes the id of an answer.
func (c *inStep) answered(id int32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.awaited) == 0 || c.awaited[0] != id {
		return fmt.Errorf("the broker's answer is to request %d, awaited are those to %v: %w", id, c.awaited, io.ErrUnexpectedEOF)
	}
	c.awaited = append(c.awaited[:0], c.awaited[1:]...)
	return nil
}
