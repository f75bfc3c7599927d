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

// gate is a network to the brokers that can be interrupted.
type gate struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	after  int  // requests that are still forwarded; -1: all
	silent bool // discard further requests instead of closing connections
	conns  []net.Conn
}

type gatedConn struct {
	net.Conn
	gate *gate
}

var errGate = errors.New("connection refused by the gate")

// shut interrupts the network after a number of requests.
func (g *gate) shut(after int, silent bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.after, g.silent = after, silent
	if after == 0 && !silent {
		g.cut()
	}
}

// open forwards requests again, on new connections.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.after = -1
	g.cut()
}

// cut closes all connections. The caller holds mu.
func (g *gate) cut() {
	for _, c := range g.conns {
		c.Close()
	}
	g.conns = nil
}

func (g *gate) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	g.mu.Lock()
	shut, silent := g.after == 0, g.silent
	g.mu.Unlock()
	if shut && silent {
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

// pass reports whether a request is forwarded, or else whether it is discarded.
func (g *gate) pass() (passes, discarded bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.after > 0:
		g.after--
	case g.after == 0 && !g.silent:
		g.cut()
		return false, false
	case g.after == 0:
		return false, true
	}
	return true, false
}

func (c *gatedConn) Write(b []byte) (int, error) {
	switch passes, discarded := c.gate.pass(); {
	case passes:
		return c.Conn.Write(b)
	case discarded:
		return len(b), nil
	}
	return 0, errGate
}

// notReady returns the parts of a that are not ready now.
func notReady(a *app.App) []string {
	var parts []string
	view := a.Look(time.Now())
	for _, p := range view.Parts() {
		if !p.Ready {
			parts = append(parts, p.Name)
		}
	}
	return parts
}

// TestOutages interrupts Kafka after each number of requests that an idle owner makes, with
// closed connections or without answers: the owner's loop never hangs, and the owner is not
// ready until Kafka is reachable again.
func TestOutages(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"refuses": false, "does not answer": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { outages(t, silent) })
		})
	}
}

func outages(t *testing.T, silent bool) {
	w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 4, RowsPerDay: 10}})
	w.config.Streams[0].Start.Back = 1
	w.config.Publish.OwnerHeartbeat = 30 * time.Second
	g := &gate{dial: w.net.Dial, after: -1}
	a := w.through(g, false)
	defer w.start(a)()
	await := func(what string, within time.Duration, fulfilled func(parts []string) bool) {
		t.Helper()
		for began := time.Now(); !fulfilled(notReady(a)); time.Sleep(time.Second) {
			if time.Since(began) > within {
				t.Errorf("%s; after %s not ready: %v: %+v", what, within, notReady(a), a.Look(time.Now()))
				return
			}
		}
	}
	ready := func(parts []string) bool { return len(parts) == 0 }
	noKafka := func(parts []string) bool { return slices.Contains(parts, "kafka") }
	await("started", time.Minute, ready)
	time.Sleep(5 * time.Minute)
	for after := range 30 {
		g.shut(after, silent)
		await(fmt.Sprintf("Kafka was interrupted after %d requests", after), 2*time.Minute, noKafka)
		for range 8 {
			time.Sleep(time.Minute)
			if v := a.Look(time.Now()); v.Hangs(time.Now()) || !noKafka(notReady(a)) {
				t.Fatalf("without Kafka after %d requests: hangs %t, not ready %v: %+v", after, v.Hangs(time.Now()), notReady(a), v)
			}
		}
		g.open()
		await("Kafka is reachable again", 2*time.Minute, ready)
		time.Sleep(29 * time.Second)
	}
}
