package exporttest

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Start serves on a loopback port. The caller must close the returned server. Calls that hang
// or stall end with their clients, or with CloseClientConnections.
func (s *Server) Start() *httptest.Server { return httptest.NewServer(s) }

// StartMemory serves over in-memory pipes, which block durably, so that server and client can
// run in one testing/synctest bubble. Only the Client of the returned server reaches it. The
// client sees a Reset as a Close.
func (s *Server) StartMemory() *httptest.Server {
	l := &memory{conns: make(chan net.Conn), closed: make(chan struct{})}
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: s}}
	server.Start()
	server.Client().Transport = &http.Transport{DialContext: l.dial}
	return server
}

// memory is a listener whose connections are net.Pipes.
type memory struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (m *memory) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case m.conns <- server:
		return client, nil
	case <-m.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next dial.
func (m *memory) Accept() (net.Conn, error) {
	select {
	case c := <-m.conns:
		return c, nil
	case <-m.closed:
		return nil, net.ErrClosed
	}
}

// Close refuses further connections.
func (m *memory) Close() error {
	m.once.Do(func() { close(m.closed) })
	return nil
}

// Addr is a name that only dial can reach.
func (m *memory) Addr() net.Addr { return address{} }

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "dfinery.memory" }
