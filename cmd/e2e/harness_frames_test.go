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

// fate is what becomes of a request or an answer on its way.
type fate int

const (
	pass    fate = iota
	delay        // it comes later, and what follows on its connection with it
	drop         // it never comes, and some time later its connection ends
	repeat       // it comes twice: a request at once on its connection or later on another one, an answer on its connection
	reorder      // a request comes on another connection after its own has ended; before an answer comes the former answer of its connection
	fates
)

func (f fate) String() string { return []string{"pass", "delay", "drop", "repeat", "reorder"}[f] }

// meddling is one kind of fate, and what it befalls.
type meddling struct {
	key    kmsg.Key
	answer bool
	fate   fate
}

func (m meddling) String() string {
	return fmt.Sprintf("%s: %s %s", m.fate, m.key.Name(), map[bool]string{false: "request", true: "answer"}[m.answer])
}

// framesProxy is between the program and all brokers of a cluster. It parses Kafka's requests
// and answers and decides the fate of each. It replaces the brokers' addresses in metadata by
// its own. The test's end waits for its goroutines.
type framesProxy struct {
	t       *testing.T
	ctx     context.Context
	running sync.WaitGroup

	mu     sync.Mutex
	fateOf func(meddling, *rand.Rand) fate // of the kind of frame that meddling names
	random *rand.Rand
	hits   map[meddling]int
	ports  map[string]string // the proxy's address by the broker's
}

func newFramesProxy(t *testing.T, seed uint64) *framesProxy {
	ctx, cancel := context.WithCancel(context.Background())
	p := &framesProxy{t: t, ctx: ctx, random: rand.New(rand.NewPCG(seed, 2)), hits: map[meddling]int{}, ports: map[string]string{}}
	t.Cleanup(func() {
		cancel()
		p.running.Wait()
	})
	return p
}

// address is where the proxy listens for connections to a broker.
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

// set decides what becomes of all frames to come; nil lets all pass.
func (p *framesProxy) set(fateOf func(meddling, *rand.Rand) fate) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fateOf = fateOf
}

// hit returns how often a kind of fate has occurred.
func (p *framesProxy) hit(m meddling) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hits[m]
}

func (p *framesProxy) decide(key kmsg.Key, answer bool) fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fateOf == nil {
		return pass
	}
	m := meddling{key: key, answer: answer}
	if m.fate = p.fateOf(m, p.random); m.fate != pass {
		p.hits[m]++
	}
	return m.fate
}

// wait lets up to d pass; false when the test is over or the connection ends.
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

// How long what is late is late for, at most.
const (
	shortDelay = 300 * time.Millisecond
	longDelay  = time.Second
)

// asked is a request whose answer is awaited.
type asked struct {
	key     kmsg.Key
	version int16
	unasked bool // no one waits for the answer
}

// connection is one of the program's to a broker.
type connection struct {
	*framesProxy
	broker           string
	client, upstream net.Conn
	ended            chan struct{}
	end              func()
	awaited          chan asked // in the order of the requests, which is that of the answers
	former           []byte     // the last answer
}

func (p *framesProxy) serve(client net.Conn, broker string) {
	upstream, err := net.Dial("tcp", broker)
	if err != nil {
		client.Close()
		return
	}
	c := &connection{framesProxy: p, broker: broker, client: client, upstream: upstream, ended: make(chan struct{}), awaited: make(chan asked, 1000)}
	c.end = sync.OnceFunc(func() { close(c.ended); client.Close(); upstream.Close() })
	stop := context.AfterFunc(p.ctx, c.end)
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { defer c.end(); c.requests() })
	both.Go(func() { defer c.end(); c.answers() })
	both.Wait()
}

// requests carries requests until the connection ends.
func (c *connection) requests() {
	for {
		frame, err := readFrame(c.client)
		if err != nil || len(frame) < 12 {
			return
		}
		request := asked{key: kmsg.Key(wire.BigEndian.Uint16(frame[4:])), version: int16(wire.BigEndian.Uint16(frame[6:]))}
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
			c.late(frame)
			return
		case repeat:
			if c.coin() {
				times = 2
			} else {
				c.late(frame)
			}
		}
		for n := range times {
			request.unasked = n > 0
			c.awaited <- request
			if _, err := c.upstream.Write(frame); err != nil {
				return
			}
		}
	}
}

func (p *framesProxy) coin() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.IntN(2) == 0
}

// late sends a request over a connection of its own after a while, whatever has become of the
// first.
func (c *connection) late(frame []byte) {
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
			_, _ = readFrame(conn) // so that it is not ended before the broker has read it
		}
	})
}

// answers carries answers until the connection ends.
func (c *connection) answers() {
	for {
		frame, err := readFrame(c.upstream)
		if err != nil {
			return
		}
		request := <-c.awaited
		if request.unasked {
			continue
		}
		frame = c.renamed(request, frame)
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
			if c.former != nil {
				frames = [][]byte{c.former, frame}
			}
		}
		for _, f := range frames {
			if _, err := c.client.Write(f); err != nil {
				return
			}
		}
		c.former = frame
	}
}

// renamed has an answer name the proxy's addresses in place of the brokers'.
func (c *connection) renamed(request asked, frame []byte) []byte {
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
		c.t.Errorf("an answer of kind %s can't be read: %v", request.key.Name(), err)
		return frame
	}
	move := func(host *string, port *int32) {
		if *host == "" {
			return // there is none
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
