package e2e

import (
	"net"
	"sync"
	"testing"
	"time"
)

// networkConditions are the properties of the network that a proxy simulates. As with TCP, no
// bytes of an open connection are lost.
type networkConditions struct {
	latency     time.Duration // of each piece, both ways
	bandwidth   int           // bytes a second, each way; 0 means no limit
	blackhole   bool          // nothing is forwarded, without an error
	dropAnswers bool          // only requests are forwarded
}

// proxy is a TCP proxy between the program and a broker. The end of the test waits for its
// goroutines.
type proxy struct {
	listener net.Listener
	upstream string
	running  sync.WaitGroup

	mu      sync.Mutex
	now     networkConditions
	changed chan struct{} // closed at the next change
	pairs   map[net.Conn]net.Conn
}

func newProxy(t *testing.T, listen, upstream string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, upstream: upstream, changed: make(chan struct{}), pairs: map[net.Conn]net.Conn{}}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		l.Close()
		p.reset()
		p.running.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		broker, err := net.Dial("tcp", p.upstream)
		if err != nil {
			client.Close()
			continue
		}
		p.mu.Lock()
		p.pairs[client] = broker
		p.mu.Unlock()
		gone := make(chan struct{})
		var both sync.WaitGroup
		end := sync.OnceFunc(func() { close(gone); client.Close(); broker.Close() })
		for _, way := range []struct {
			from, to net.Conn
			answers  bool
		}{{client, broker, false}, {broker, client, true}} {
			both.Go(func() {
				defer end()
				p.carry(way.from, way.to, way.answers, gone)
			})
		}
		p.running.Go(func() {
			both.Wait()
			p.mu.Lock()
			defer p.mu.Unlock()
			delete(p.pairs, client)
		})
	}
}

// carry forwards data with the latency of the current conditions.
func (p *proxy) carry(from, to net.Conn, answers bool, gone <-chan struct{}) {
	piece := make([]byte, 32<<10)
	for {
		n, err := from.Read(piece)
		if n > 0 && (!p.hold(n, answers, gone) || write(to, piece[:n]) != nil) {
			return
		}
		if err != nil {
			return
		}
	}
}

func write(to net.Conn, piece []byte) error {
	_, err := to.Write(piece)
	return err
}

func (p *proxy) hold(n int, answers bool, gone <-chan struct{}) bool {
	for {
		p.mu.Lock()
		now, changed := p.now, p.changed
		p.mu.Unlock()
		if now.blackhole || now.dropAnswers && answers {
			select {
			case <-changed:
				continue
			case <-gone:
				return false
			}
		}
		wait := now.latency
		if now.bandwidth > 0 {
			wait += time.Duration(n) * time.Second / time.Duration(now.bandwidth)
		}
		select {
		case <-time.After(wait):
			return true
		case <-gone:
			return false
		}
	}
}

func (p *proxy) set(w networkConditions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = w
	close(p.changed)
	p.changed = make(chan struct{})
}

// reset resets all connections.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for client, broker := range p.pairs {
		for _, conn := range []net.Conn{client, broker} {
			_ = conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
	}
}
