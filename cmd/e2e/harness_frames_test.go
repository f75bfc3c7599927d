package e2e

import (
	"context"
	wire "encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// faultKind is what the proxy does to a request or an answer.
type faultKind int

const (
	pass    faultKind = iota
	delay             // delays it and everything after it on its connection
	drop              // discards it, and closes its connection later
	repeat            // sends it twice: a request at once on its connection or later on another one, an answer on its connection
	reorder           // closes the connection of a request and sends it on another one; repeats the previous answer before an answer
	faultKinds
)

func (f faultKind) String() string { return []string{"pass", "delay", "drop", "repeat", "reorder"}[f] }

// frameFault is a kind of fault, and the frames it applies to.
type frameFault struct {
	key       kmsg.Key
	answer    bool
	faultKind faultKind
}

func (m frameFault) String() string {
	return fmt.Sprintf("%s: %s %s", m.faultKind, m.key.Name(), map[bool]string{false: "request", true: "answer"}[m.answer])
}

// framesProxy is a proxy between the program and all brokers of a cluster. It parses Kafka's
// requests and answers, injects a fault into each that choose selects, and replaces the
// brokers' addresses in metadata by its own. The test's end waits for its goroutines.
type framesProxy struct {
	t       *testing.T
	ctx     context.Context
	running sync.WaitGroup

	mu     sync.Mutex
	choose func(frameFault, *rand.Rand) faultKind // the fault for a frame of this key and direction
	random *rand.Rand
	counts map[frameFault]int
	ports  map[string]string // the proxy's addresses by those of the brokers
}

func newFramesProxy(t *testing.T, seed uint64) *framesProxy {
	ctx, cancel := context.WithCancel(context.Background())
	p := &framesProxy{t: t, ctx: ctx, random: rand.New(rand.NewPCG(seed, 2)), counts: map[frameFault]int{}, ports: map[string]string{}}
	t.Cleanup(func() {
		cancel()
		p.running.Wait()
	})
	return p
}

// address returns the address where the proxy accepts connections to a broker.
func (p *framesProxy) address(broker string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if at, ok := p.ports[broker]; ok {
		return at
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Error(err)
		return broker
	}
	context.AfterFunc(p.ctx, func() { listener.Close() })
	p.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.running.Go(func() { p.serve(client, broker) })
		}
	})
	p.ports[broker] = listener.Addr().String()
	return p.ports[broker]
}

// set replaces the function that chooses faults; with nil there are none.
func (p *framesProxy) set(choose func(frameFault, *rand.Rand) faultKind) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.choose = choose
}

// count returns how often a fault was injected.
func (p *framesProxy) count(m frameFault) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[m]
}

func (p *framesProxy) decide(key kmsg.Key, answer bool) faultKind {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.choose == nil {
		return pass
	}
	m := frameFault{key: key, answer: answer}
	if m.faultKind = p.choose(m, p.random); m.faultKind != pass {
		p.counts[m]++
	}
	return m.faultKind
}

// wait waits for a random time of at most d; false if the test or the connection ends first.
func (p *framesProxy) wait(d time.Duration, ended <-chan struct{}) bool {
	p.mu.Lock()
	d = time.Duration(p.random.Int64N(int64(d)))
	p.mu.Unlock()
	select {
	case <-time.After(d):
		return true
	case <-ended:
	case <-p.ctx.Done():
	}
	return false
}

// The maximum delays.
const (
	shortDelay = 300 * time.Millisecond
	longDelay  = time.Second
)

// pendingRequest is a request that has no answer yet.
type pendingRequest struct {
	key     kmsg.Key
	version int16
	isCopy  bool // the proxy sent it a second time: its answer is discarded
}

// connection is a connection of the program to a broker.
type connection struct {
	*framesProxy
	broker           string
	client, upstream net.Conn
	ended            chan struct{}
	end              func()
	pending          chan pendingRequest // brokers answer in the order of the requests
	lastAnswer       []byte
}

func (p *framesProxy) serve(client net.Conn, broker string) {
	upstream, err := net.Dial("tcp", broker)
	if err != nil {
		client.Close()
		return
	}
	c := &connection{framesProxy: p, broker: broker, client: client, upstream: upstream, ended: make(chan struct{}), pending: make(chan pendingRequest, 1000)}
	c.end = sync.OnceFunc(func() { close(c.ended); client.Close(); upstream.Close() })
	stop := context.AfterFunc(p.ctx, c.end)
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { defer c.end(); c.requests() })
	both.Go(func() { defer c.end(); c.answers() })
	both.Wait()
}

// requests forwards requests until the connection ends.
func (c *connection) requests() {
	for {
		frame, err := readFrame(c.client)
		if err != nil || len(frame) < 12 {
			return
		}
		request := pendingRequest{key: kmsg.Key(wire.BigEndian.Uint16(frame[4:])), version: int16(wire.BigEndian.Uint16(frame[6:]))}
		times := 1
		switch c.decide(request.key, false) {
		case delay:
			if !c.wait(shortDelay, c.ended) {
				return
			}
		case drop:
			c.wait(longDelay, c.ended)
			return
		case reorder:
			c.sendLater(frame)
			return
		case repeat:
			if c.randomBool() {
				times = 2
			} else {
				c.sendLater(frame)
			}
		}
		for n := range times {
			request.isCopy = n > 0
			c.pending <- request
			if _, err := c.upstream.Write(frame); err != nil {
				return
			}
		}
	}
}

func (p *framesProxy) randomBool() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.IntN(2) == 0
}

// sendLater sends a request on a new connection after a random time.
func (c *connection) sendLater(frame []byte) {
	c.running.Go(func() {
		if !c.wait(longDelay, nil) {
			return
		}
		conn, err := net.Dial("tcp", c.broker)
		if err != nil {
			return
		}
		defer conn.Close()
		defer context.AfterFunc(c.ctx, func() { conn.Close() })()
		if _, err := conn.Write(frame); err == nil {
			_, _ = readFrame(conn) // the connection must stay open until the broker has read the request
		}
	})
}

// answers forwards answers until the connection ends.
func (c *connection) answers() {
	for {
		frame, err := readFrame(c.upstream)
		if err != nil {
			return
		}
		request := <-c.pending
		if request.isCopy {
			continue
		}
		frame = c.replaceAddresses(request, frame)
		frames := [][]byte{frame}
		switch c.decide(request.key, true) {
		case delay:
			if !c.wait(shortDelay, c.ended) {
				return
			}
		case drop:
			c.wait(longDelay, c.ended)
			return
		case repeat:
			frames = [][]byte{frame, frame}
		case reorder:
			if c.lastAnswer != nil {
				frames = [][]byte{c.lastAnswer, frame}
			}
		}
		for _, f := range frames {
			if _, err := c.client.Write(f); err != nil {
				return
			}
		}
		c.lastAnswer = frame
	}
}

// replaceAddresses replaces the addresses of brokers in an answer by those of the proxy.
func (c *connection) replaceAddresses(request pendingRequest, frame []byte) []byte {
	answer := kmsg.ResponseForKey(int16(request.key))
	metadata, ok := answer.(*kmsg.MetadataResponse)
	coordinator, ok2 := answer.(*kmsg.FindCoordinatorResponse)
	if !ok && !ok2 {
		return frame
	}
	answer.SetVersion(request.version)
	head := 8 // size and correlation id
	if answer.IsFlexible() {
		head++ // no tags
	}
	if err := answer.ReadFrom(frame[head:]); err != nil {
		c.t.Errorf("read an answer to %s: %v", request.key.Name(), err)
		return frame
	}
	move := func(host *string, port *int32) {
		if *host == "" {
			return // no coordinator
		}
		at := c.address(net.JoinHostPort(*host, strconv.Itoa(int(*port))))
		name, number, _ := net.SplitHostPort(at)
		n, _ := strconv.Atoi(number)
		*host, *port = name, int32(n)
	}
	if ok {
		for i := range metadata.Brokers {
			move(&metadata.Brokers[i].Host, &metadata.Brokers[i].Port)
		}
	} else {
		move(&coordinator.Host, &coordinator.Port)
		for i := range coordinator.Coordinators {
			move(&coordinator.Coordinators[i].Host, &coordinator.Coordinators[i].Port)
		}
	}
	frame = answer.AppendTo(append([]byte(nil), frame[:head]...))
	wire.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	return frame
}

// readFrame reads a request or an answer, its size included.
func readFrame(from io.Reader) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(from, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, 4+wire.BigEndian.Uint32(size[:]))
	copy(frame, size[:])
	_, err := io.ReadFull(from, frame[4:])
	return frame, err
}
