package cluster_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"dfinery-kafka/pipeline/cluster"

	"github.com/twmb/franz-go/pkg/kfake"
)

// TestHealth: an outage lasts from the first failed request to the next answer. A request that its
// caller cancelled does not count.
func TestHealth(t *testing.T) {
	t.Parallel()
	fake := embedded(t, kfake.NumBrokers(1))
	errAway := errors.New("unreachable")
	var dial atomic.Value
	direct := new(net.Dialer).DialContext
	hold := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, errAway }
	dial.Store(direct)
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs(), Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		return dial.Load().(func(context.Context, string, string) (net.Conn, error))(ctx, network, address)
	}})
	ask := func(d func(context.Context, string, string) (net.Conn, error), ctx context.Context) (cluster.Health, time.Time) {
		t.Helper()
		c.Close() // so that the next request needs a new connection
		dial.Store(d)
		before := time.Now()
		_ = topicsError(ctx, c) // the result is in Health
		return c.Health(), before
	}

	if h, _ := ask(direct, t.Context()); h != (cluster.Health{}) {
		t.Errorf("after an answer: %+v", h)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if h, _ := ask(hold, gone); h != (cluster.Health{}) {
		t.Errorf("after a cancelled request: %+v", h)
	}
	first, before := ask(refuse, t.Context())
	if !errors.Is(first.Err, errAway) || first.Failed.Before(before) || first.Since != first.Failed ||
		first.Silent.Before(before) || first.Silent.After(first.Failed) {
		t.Errorf("after the first failure: %+v", first)
	}
	second, before := ask(hold, soon(t, 50*time.Millisecond))
	if !errors.Is(second.Err, context.DeadlineExceeded) || second.Failed.Before(before) || second.Since != first.Since || second.Silent != first.Silent {
		t.Errorf("after the second failure: %+v, the first was %+v", second, first)
	}
	back, _ := ask(direct, t.Context())
	if want := (cluster.Health{Failed: second.Failed, Err: second.Err}); back != want {
		t.Errorf("after an answer: %+v, want %+v", back, want)
	}
}
