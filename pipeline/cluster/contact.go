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

// Patience is how long a broker has for a connection with its handshakes: no broker is waited for any longer.
const Patience = dialTimeout

// Ping succeeds when one of the configured brokers can be reached, TLS and SASL included; all are tried at once, and Patience bounds it.
// Otherwise the error says what failed at each of them.
func (c *Cluster) Ping(ctx context.Context) error {
	ctx, reached := context.WithCancel(ctx)
	defer reached()
	faults := make([]error, len(c.cfg.Brokers))
	var one atomic.Bool
	var tries sync.WaitGroup
	for i, address := range c.cfg.Brokers {
		tries.Go(func() {
			if faults[i] = c.tryDial(ctx, address); faults[i] == nil {
				one.Store(true)
				reached()
			}
		})
	}
	tries.Wait()
	if one.Load() {
		return nil
	}
	return errors.Join(faults...)
}

// Brokers lists the brokers that the cluster advertises and tries each: one that can't be reached by its advertised address has
// its Err set, a *ConnectError.
func (c *Cluster) Brokers(ctx context.Context) ([]Broker, error) {
	res, err := c.metadata(ctx, []string{})
	if err != nil {
		return nil, fmt.Errorf("list brokers: %w", err)
	}
	brokers := make([]Broker, len(res.Brokers))
	var tries sync.WaitGroup
	for i, b := range res.Brokers {
		brokers[i] = Broker{ID: b.NodeID, Addr: net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port)))}
		tries.Go(func() { brokers[i].Err = c.tryDial(ctx, brokers[i].Addr) })
	}
	tries.Wait()
	return brokers, nil
}

func (c *Cluster) tryDial(ctx context.Context, address string) error {
	conn, _, err := c.dialer.open(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// Contact is how one address answered.
type Contact struct {
	Addr string               // HOST:PORT
	TLS  *tls.ConnectionState // nil without TLS
	Err  error                // a *ConnectError, with its step
}

// Contact tries the configured brokers, each once, in their order.
func (c *Cluster) Contact(ctx context.Context) []Contact {
	contacts := make([]Contact, len(c.cfg.Brokers))
	var tries sync.WaitGroup
	for i, address := range c.cfg.Brokers {
		tries.Go(func() {
			contacts[i] = Contact{Addr: address}
			conn, _, err := c.dialer.open(ctx, "tcp", address)
			if contacts[i].Err = err; err != nil {
				return
			}
			defer conn.Close()
			if secured, ok := conn.(*tls.Conn); ok {
				state := secured.ConnectionState()
				contacts[i].TLS = &state
			}
		})
	}
	tries.Wait()
	return contacts
}

// Bootstrap is the configured brokers as Kafka's own tools take them.
func (c *Cluster) Bootstrap() string { return strings.Join(c.cfg.Brokers, ",") }
