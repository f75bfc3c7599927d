package app

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"sync"
	"time"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/connector"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/deploy"
)

// newAdmin makes the admin server, if ADMIN_ADDR is set.
func (a *App) newAdmin(o Options) {
	p := &a.config.Process
	if p.AdminAddr == "" {
		return
	}
	a.admin = &admin.Server{
		Addr: string(p.AdminAddr), Look: a.Look, Streams: a.config.StreamNames(), Pprof: p.AdminPprof, Log: a.log,
		Location: a.config.DFINERY.Timezone.Location, Delivery: string(a.config.Publish.Delivery),
		Runbook: deploy.Runbook(), RunbookURL: string(p.RunbookURL),
		Build: admin.Build{Version: o.Version, Commit: o.Commit, Go: runtime.Version()},
	}
	a.Service.Observe = a.admin.Observe
}

// serve starts the admin server; the returned function stops it. After ctx has ended the server
// reports that the process is shutting down.
func (a *App) serve(ctx context.Context) (stop func(), err error) {
	watching := context.AfterFunc(ctx, func() { a.ending.Store(true) })
	if a.admin == nil {
		return func() { watching() }, nil
	}
	if err := a.admin.Start(ctx); err != nil {
		watching()
		return nil, fmt.Errorf("ADMIN_ADDR: %w", err)
	}
	return func() {
		watching()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), adminGrace)
		defer cancel()
		a.admin.Close(ctx)
	}, nil
}

// adminGrace is the time for a last scrape after all work has ended.
const adminGrace = time.Second

// Look is a snapshot of the whole service.
func (a *App) Look(now time.Time) admin.View {
	v := admin.View{
		At: now, Pipeline: a.Service.Status(), Totals: a.Service.Totals(), Produced: a.Service.Produced(), Kafka: a.cluster.Health(),
		Letters: a.Service.RecentLetters(), Stopping: a.ending.Load(),
	}
	v.Source, v.Transitions = a.transitions.look(now)
	return v
}

// transitionCounter sums the transitions of the breakers of successive ownerships, each of
// which counts from zero.
type transitionCounter struct {
	mu     sync.Mutex
	source *connector.Source          // the current one; nil before the first
	before map[limiter.Transition]int // of the previous ones
}

// begin makes source the current one. The previous one makes no more calls.
func (t *transitionCounter) begin(source *connector.Source) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.before = t.sum(now)
	t.source = source
}

func (t *transitionCounter) look(now time.Time) (*limiter.Status, map[limiter.Transition]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.source == nil {
		return nil, t.sum(now)
	}
	st := t.source.Status(now)
	return &st, t.sum(now)
}

// sum returns the sum over all ownerships. The caller holds mu.
func (t *transitionCounter) sum(now time.Time) map[limiter.Transition]int {
	sum := map[limiter.Transition]int{}
	maps.Copy(sum, t.before)
	if t.source != nil {
		for tr, n := range t.source.Status(now).Breaker.Transitions {
			sum[tr] += n
		}
	}
	return sum
}
