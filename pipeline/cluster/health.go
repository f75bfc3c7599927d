package cluster

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Health is how the requests to the brokers went lately. An answer that is an error is an answer.
type Health struct {
	Failed time.Time // when a request last went without an answer; zero: never
	Err    error     // why
	// Since is when the first request failed of those that have gone without an answer since the last one that had one; zero when none has.
	Since time.Time
	// Silent is since when requests, failed ones included, have waited for an answer and none has had one; zero when nothing waits. It comes
	// before Since: a request that is never answered fails only at its time limit.
	Silent time.Time
}

// Health is the present one.
func (c *Cluster) Health() Health {
	h := &c.transport.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// health is a Health that requests add to.
type health struct {
	mu      sync.Mutex
	now     Health
	waiting int // requests under way
}

// begin adds a request.
func (h *health) begin() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting++
	if h.now.Silent.IsZero() {
		h.now.Silent = time.Now()
	}
}

// end adds the outcome of a request. One that its caller gave up for reasons of its own says nothing.
func (h *health) end(err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.waiting--
	switch {
	case errors.Is(err, context.Canceled):
		if h.waiting == 0 && h.now.Since.IsZero() {
			h.now.Silent = time.Time{}
		}
	case err == nil:
		h.now.Since, h.now.Silent = time.Time{}, time.Time{}
		if h.waiting > 0 {
			h.now.Silent = time.Now()
		}
	default:
		h.now.Failed, h.now.Err = time.Now(), err
		if h.now.Since.IsZero() {
			h.now.Since = h.now.Failed
		}
	}
}
