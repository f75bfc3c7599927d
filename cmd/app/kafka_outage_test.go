package app_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/connector/exporttest"
)

// gate is a way to the brokers that can be closed.
type gate struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu    sync.Mutex
	after int  // so many requests still pass; -1 is as many as there are
	holds bool // closed, it swallows requests rather than cut connections
	conns []net.Conn
}

type gatedConn struct {
	net.Conn
	gate *gate
}

var errGate = errors.New("connection refused by the gate")

// shut closes the gate after so many requests.
func (g *gate) shut(after int, holds bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.after, g.holds = after, holds
	if after == 0 && !holds {
		g.cut()
	}
}

// open lets everything pass again. What was swallowed stays so.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.after = -1
	g.cut()
}

// cut ends all connections. The caller holds mu.
func (g *gate) cut() {
	for _, c := range g.conns {
		c.Close()
	}
	g.conns = nil
}

func (g *gate) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	g.mu.Lock()
	shut, holds := g.after == 0, g.holds
	g.mu.Unlock()
	if shut && holds {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if shut {
		return nil, errGate
	}
	c, err := g.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.conns = append(g.conns, c)
	return &gatedConn{c, g}, nil
}

// pass reports whether a request goes through, or else whether it is swallowed.
func (g *gate) pass() (passes, swallowed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.after > 0:
		g.after--
	case g.after == 0 && !g.holds:
		g.cut()
		return false, false
	case g.after == 0:
		return false, true
	}
	return true, false
}

func (c *gatedConn) Write(b []byte) (int, error) {
	switch passes, swallowed := c.gate.pass(); {
	case passes:
		return c.Conn.Write(b)
	case swallowed:
		return len(b), nil
	}
	return 0, errGate
}

// unready are the parts of a that are not ready now.
func unready(a *app.App) []string {
	var parts []string
	view := a.Look(time.Now())
	for _, p := range view.Parts() {
		if !p.Ready {
			parts = append(parts, p.Name)
		}
	}
	return parts
}

// TestOutages has Kafka vanish at every request that an idle owner makes, by refusing it or
// without an answer: that is no loop that hangs, ever, and the owner is not ready until Kafka
// is back.
func TestOutages(t *testing.T) {
	t.Parallel()
	for name, holds := range map[string]bool{"refuses": false, "does not answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { outages(t, holds) })
		})
	}
}

func outages(t *testing.T, holds bool) {
	w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 10}})
	w.config.Streams[0].Start.Back = 1
	w.config.Publish.OwnerHeartbeat = 30 * time.Second
	g := &gate{dial: w.net.Dial, after: -1}
	a := w.through(g, false)
	defer w.start(a)()
	await := func(what string, within time.Duration, holds func(parts []string) bool) {
		t.Helper()
		for began := time.Now(); !holds(unready(a)); time.Sleep(time.Second) {
			if time.Since(began) > within {
				t.Errorf("%s, and %s later not ready are %v: %+v", what, within, unready(a), a.Look(time.Now()))
				return
			}
		}
	}
	ready := func(parts []string) bool { return len(parts) == 0 }
	noKafka := func(parts []string) bool { return slices.Contains(parts, "kafka") }
	await("started", time.Minute, ready)
	time.Sleep(5 * time.Minute)
	for after := range 30 {
		g.shut(after, holds)
		await(fmt.Sprintf("Kafka has vanished after %d requests", after), 2*time.Minute, noKafka)
		for range 8 {
			time.Sleep(time.Minute)
			if v := a.Look(time.Now()); v.Hangs(time.Now()) || !noKafka(unready(a)) {
				t.Fatalf("without Kafka after %d requests: hangs %t, not ready %v: %+v", after, v.Hangs(time.Now()), unready(a), v)
			}
		}
		g.open()
		await("Kafka is back", 2*time.Minute, ready)
		time.Sleep(29 * time.Second)
	}
}
