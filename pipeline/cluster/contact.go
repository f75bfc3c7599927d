package cluster

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Patience is the time limit for a connection to a broker, including handshakes.
const Patience = dialTimeout

// Ping succeeds if one of the configured brokers can be reached, including TLS and SASL. All
// are tried in parallel, for at most Patience. Otherwise the error says what failed at each of
// them.
func (c *Cluster) Ping(ctx context.Context) error {
	ctx, reached := context.WithCancel(ctx)
	defer reached()
	faults := make([]error, len(c.cfg.Brokers))
	var one atomic.Bool
	c.dialAll(ctx, c.cfg.Brokers, func(i int, _ net.Conn, err error) {
		if faults[i] = err; err == nil {
			one.Store(true)
			reached()
		}
	})
	if one.Load() {
		return nil
	}
	return errors.Join(faults...)
}

// Brokers lists the brokers that the cluster advertises and connects to each. For a broker that
// can't be reached at its advertised address, Err is a *ConnectError.
func (c *Cluster) Brokers(ctx context.Context) ([]Broker, error) {
	res, err := c.metadata(ctx, []string{})
	if err != nil {
		return nil, fmt.Errorf("list brokers: %w", err)
	}
	brokers, addresses := make([]Broker, len(res.Brokers)), make([]string, len(res.Brokers))
	for i, b := range res.Brokers {
		addresses[i] = net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))
		brokers[i] = Broker{ID: b.NodeID, Addr: addresses[i]}
	}
	c.dialAll(ctx, addresses, func(i int, _ net.Conn, err error) { brokers[i].Err = err })
	return brokers, nil
}

// dialAll connects to all addresses at once and calls tried for each, concurrently, with the
// connection or the error. It closes the connections.
func (c *Cluster) dialAll(ctx context.Context, addresses []string, tried func(i int, conn net.Conn, err error)) {
	var tries sync.WaitGroup
	for i, address := range addresses {
		tries.Go(func() {
			conn, _, err := c.dialer.open(ctx, "tcp", address)
			if err == nil {
				defer conn.Close()
			}
			tried(i, conn, err)
		})
	}
	tries.Wait()
}

// Contact is the result of connecting to one address.
type Contact struct {
	Addr string               // HOST:PORT
	TLS  *tls.ConnectionState // nil without TLS
	Err  error                // a *ConnectError, with its step
}

// Contact connects to each of the configured brokers once, in order.
func (c *Cluster) Contact(ctx context.Context) []Contact {
	contacts := make([]Contact, len(c.cfg.Brokers))
	c.dialAll(ctx, c.cfg.Brokers, func(i int, conn net.Conn, err error) {
		contacts[i] = Contact{Addr: c.cfg.Brokers[i], Err: err}
		if err != nil {
			return
		}
		if secured, ok := conn.(*inStep).Conn.(*tls.Conn); ok { // open returns an inStep
			state := secured.ConnectionState()
			contacts[i].TLS = &state
		}
	})
	return contacts
}

// Bootstrap returns the configured brokers in the form that Kafka's tools accept.
func (c *Cluster) Bootstrap() string { return strings.Join(c.cfg.Brokers, ",") }
