package limiter

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// cooldown is a pause of the whole service that grows with each failure in a row.
//
// Several calls that run at the same time fail for one reason; that is one failure. So each call carries the round in which it began,
// and only what a call of the present round reports is counted.
type cooldown struct {
	first, most time.Duration

	round    int
	failures int
	until    time.Time
}

// fail begins the next round with a pause of d; false for a call of an earlier round, which changes nothing.
func (c *cooldown) fail(round int, now time.Time, d time.Duration) bool {
	if round != c.round {
		return false
	}
	c.round++
	c.failures++
	c.until = now.Add(d)
	return true
}

// pause is the pause after one more failure, with jitter: first, doubled for each failure so far, never more than most.
func (c *cooldown) pause() time.Duration {
	b := backoff.ExponentialBackOff{InitialInterval: c.first, MaxInterval: c.most, Multiplier: 2, RandomizationFactor: 0.5}
	d := b.NextBackOff()
	for range min(c.failures, 32) {
		d = b.NextBackOff()
	}
	return min(d, c.most)
}

// succeed ends the cooldown; false when there is none, or for a call of an earlier round.
func (c *cooldown) succeed(round int) bool {
	if round != c.round || c.failures == 0 {
		return false
	}
	c.round++
	c.failures, c.until = 0, time.Time{}
	return true
}
