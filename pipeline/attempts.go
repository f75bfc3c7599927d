package pipeline

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// attempts delays the takeovers of a Run, and determines when to give up.
type attempts struct {
	patience time.Duration // 0: unlimited
	wait     *backoff.ExponentialBackOff
	began    time.Time // the first one since the last success
}

func newAttempts(patience time.Duration) *attempts {
	return &attempts{
		patience: patience, began: time.Now(),
		wait: &backoff.ExponentialBackOff{InitialInterval: 100 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: 15 * time.Second},
	}
}

func (a *attempts) succeeded() {
	a.wait.Reset()
	a.began = time.Now()
}

// exhausted reports whether attempts have failed for as long as patience.
func (a *attempts) exhausted() bool { return a.patience > 0 && time.Since(a.began) >= a.patience }

// pause waits until the next attempt, at least for the given time, but not beyond
// patience.
func (a *attempts) pause(ctx context.Context, atLeast time.Duration) {
	next := max(a.wait.NextBackOff(), atLeast)
	if a.patience > 0 {
		next = min(next, a.patience-time.Since(a.began))
	}
	pause(ctx, next)
}
