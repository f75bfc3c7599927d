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
	// Since is when the first of the requests failed that went without an answer since the last answer; zero when none did.
	Since time.Time
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
	mu  sync.Mutex
	now Health
}

// note adds the outcome of a request. One that its caller gave up for reasons of its own says nothing.
func (h *health) note(err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err == nil {
		h.now.Since = time.Time{}
		return
	}
	h.now.Failed, h.now.Err = time.Now(), err
	if h.now.Since.IsZero() {
		h.now.Since = h.now.Failed
	}
}
