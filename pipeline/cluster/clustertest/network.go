package clustertest

import (
	"context"
	"fmt"
	"net"
	"sync"
)

// Network is a network in memory whose connections block durably, so that a broker
// lives in a synctest bubble. Its zero value is ready for use.
type Network struct {
	mu        sync.Mutex
	listeners map[string]*listener
}

type listener struct {
	address address
	conns   chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

type address string

func (a address) Network() string { return "tcp" }
func (a address) String() string  { return string(a) }

// Listen is a kfake.ListenFn. The first listener has port 9092.
func (n *Network) Listen(_, _ string) (net.Listener, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners == nil {
		n.listeners = map[string]*listener{}
	}
	at := fmt.Sprintf("127.0.0.1:%d", 9092+len(n.listeners))
	l := &listener{address: address(at), conns: make(chan net.Conn), closed: make(chan struct{})}
	n.listeners[at] = l
	return l, nil
}

// Dial connects to a listener.
func (n *Network) Dial(ctx context.Context, _, at string) (net.Conn, error) {
	n.mu.Lock()
	l := n.listeners[at]
	n.mu.Unlock()
	if l == nil {
		return nil, fmt.Errorf("nothing listens on %s", at)
	}
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return l.address }
