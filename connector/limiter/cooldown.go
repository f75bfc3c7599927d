package limiter

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// cooldown is a pause of the whole service that grows with each consecutive failure.
//
// Several concurrent calls that fail for one reason count as one failure. So each call belongs
// to the round in which it started, and only results of calls of the current round count.
type cooldown struct {
	first, longest time.Duration

	round    int
	failures int
	until    time.Time
}

// fail starts the next round with a pause of d; false for a call of an earlier round, which
// changes nothing.
func (c *cooldown) fail(round int, now time.Time, d time.Duration) bool {
	if round != c.round {
		return false
	}
	c.round++
	c.failures++
	c.until = now.Add(d)
	return true
}

// pause is the pause after one more failure, with jitter: first, doubled for each failure so
// far, at most longest.
func (c *cooldown) pause() time.Duration {
	b := backoff.ExponentialBackOff{InitialInterval: c.first, MaxInterval: c.longest, Multiplier: 2, RandomizationFactor: 0.5}
	d := b.NextBackOff()
	for range min(c.failures, 32) {
		d = b.NextBackOff()
	}
	return min(d, c.longest)
}

// succeed ends the cooldown; false if there is none, or for a call of an earlier round.
func (c *cooldown) succeed(round int) bool {
	if round != c.round || c.failures == 0 {
		return false
	}
	c.round++
	c.failures, c.until = 0, time.Time{}
	return true
}
