package pipeline

import (
	"context"
	"errors"
	"net"
	"sync"
)

// link is the network between an instance and Kafka.
type link struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	held  chan struct{} // closed when held data is released; nil: data is not held
	gone  bool
	conns []net.Conn
}

var errGone = errors.New("the instance was killed")

func (l *link) hold() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = make(chan struct{})
}

func (l *link) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.held != nil {
		close(l.held)
		l.held = nil
	}
}

func (l *link) cut() {
	l.release()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
	for _, c := range l.conns {
		c.Close()
	}
}

// pass waits while data is held, and returns an error if the instance was killed.
func (l *link) pass() error {
	l.mu.Lock()
	held := l.held
	l.mu.Unlock()
	if held != nil {
		<-held
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.gone {
		return errGone
	}
	return nil
}

func (l *link) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := l.pass(); err != nil {
		return nil, err
	}
	c, err := l.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, c)
	return &linkConn{Conn: c, link: l}, nil
}

type linkConn struct {
	net.Conn
	link *link
}

func (c *linkConn) Write(b []byte) (int, error) {
	if err := c.link.pass(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

func (c *linkConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if gone := c.link.pass(); gone != nil {
		return 0, gone
	}
	return n, err
}
