package cluster

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Health is the recent success of requests to the brokers. An error returned by a broker counts
// as an answer.
type Health struct {
	Failed time.Time // when a request last failed without an answer; zero: never
	Err    error     // why
	// Since is when the first request without an answer failed since the last answer; zero if
	// there is none.
	Since time.Time
	// Silent is since when requests, including failed ones, have been waiting without any
	// answer; zero if none is waiting. It is set before Since, as a request that is never
	// answered fails only after its timeout.
	Silent time.Time
}

// Health returns the current health.
func (c *Cluster) Health() Health {
	h := &c.transport.health
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// health is a Health that is updated by requests.
type health struct {
	mu      sync.Mutex
	now     Health
	waiting int // requests in flight
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

// end adds the outcome of a request. A request cancelled by its caller has no effect.
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
