package pipeline

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// attempts spaces the takeovers of a Run, and knows when it has tried for long enough.
type attempts struct {
	patience time.Duration // 0: for ever
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

// exhausted reports whether there were attempts for as long as the patience.
func (a *attempts) exhausted() bool { return a.patience > 0 && time.Since(a.began) >= a.patience }

// pause waits until the next attempt, at least for so long, but not beyond the patience.
func (a *attempts) pause(ctx context.Context, least time.Duration) {
	next := max(a.wait.NextBackOff(), least)
	if a.patience > 0 {
		next = min(next, a.patience-time.Since(a.began))
	}
	pause(ctx, next)
}
