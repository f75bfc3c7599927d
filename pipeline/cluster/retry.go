package cluster

import (
	"context"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// retry delays the attempts of one operation, with jitter. Progress resets it.
type retry struct {
	patience time.Duration // gives up after this time without progress
	started  time.Time
	waits    backoff.ExponentialBackOff
}

func newRetry(patience time.Duration) *retry {
	r := &retry{patience: patience, waits: backoff.ExponentialBackOff{
		InitialInterval: 20 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: time.Second,
	}}
	r.progress()
	return r
}

func (r *retry) progress() {
	r.started = time.Time{}
	r.waits.Reset()
}

// next waits before the next attempt after one that failed with err. It returns an error that
// wraps err if there should be no further attempt.
func (r *retry) next(ctx context.Context, err error) error {
	if r.started.IsZero() {
		r.started = time.Now()
	}
	if time.Since(r.started) > r.patience {
		return fmt.Errorf("given up after %s: %w", r.patience, err)
	}
	timer := time.NewTimer(r.waits.NextBackOff())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	case <-timer.C:
		return nil
	}
}
