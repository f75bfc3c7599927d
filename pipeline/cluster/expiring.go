package cluster

import (
	"context"
	"net"
	"sync"
	"time"
)

// expiring is a connection whose login is valid for a limited time (KIP-368:
// connections.max.reauth.ms, or the rest of a token's lifetime). The broker closes such a
// connection at the first request after that. So it is replaced by a new connection with a new
// login before a request near the end of that time. It has one request in flight at a time,
// like kafka-go's connections.
type expiring struct {
	open  func(context.Context) (net.Conn, time.Duration, error)
	alive context.Context // until Close
	close context.CancelFunc

	mu       sync.Mutex // guards the following
	conn     net.Conn
	until    time.Time // requests after this time use a new connection
	answered bool      // the last request was answered: the next write starts another one
	deadline time.Time
}

func newExpiring(conn net.Conn, lifetime time.Duration, open func(context.Context) (net.Conn, time.Duration, error)) *expiring {
	e := &expiring{open: open, conn: conn, until: renewal(lifetime), answered: true}
	e.alive, e.close = context.WithCancel(context.Background())
	return e
}

// renewal leaves a fifth of the lifetime for a request in flight. An unlimited login is not
// renewed.
func renewal(lifetime time.Duration) time.Time {
	if lifetime <= 0 {
		return time.Time{}
	}
	return time.Now().Add(lifetime * 4 / 5)
}

func (e *expiring) Write(b []byte) (int, error) {
	conn, err := e.forRequest()
	if err != nil {
		return 0, err
	}
	return conn.Write(b)
}

// forRequest returns the connection to write to, a new one if the login of the current one
// expires soon.
func (e *expiring) forRequest() (net.Conn, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.answered || e.until.IsZero() || time.Now().Before(e.until) {
		e.answered = false
		return e.conn, nil
	}
	ctx, cancel := e.alive, context.CancelFunc(func() {})
	if !e.deadline.IsZero() {
		ctx, cancel = context.WithDeadline(e.alive, e.deadline)
	}
	defer cancel()
	conn, lifetime, err := e.open(ctx)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(e.deadline)
	e.conn.Close()
	e.conn, e.until, e.answered = conn, renewal(lifetime), false
	return conn, nil
}

func (e *expiring) Read(b []byte) (int, error) {
	n, err := e.current().Read(b)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.answered = true
	return n, err
}

func (e *expiring) current() net.Conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.conn
}

func (e *expiring) Close() error {
	e.close() // does not wait for a new connection
	return e.current().Close()
}

func (e *expiring) SetDeadline(t time.Time) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deadline = t
	return e.conn.SetDeadline(t)
}

func (e *expiring) SetReadDeadline(t time.Time) error  { return e.current().SetReadDeadline(t) }
func (e *expiring) SetWriteDeadline(t time.Time) error { return e.current().SetWriteDeadline(t) }
func (e *expiring) LocalAddr() net.Addr                { return e.current().LocalAddr() }
func (e *expiring) RemoteAddr() net.Addr               { return e.current().RemoteAddr() }
