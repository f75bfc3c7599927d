package connector

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// setback is a pause of the whole service that grows with each failure in a row.
//
// Several calls under way fail of one cause; that is one failure. So each call carries the round in which it began,
// and only what a call of the present round meets is counted.
type setback struct {
	first, most time.Duration

	round    int
	failures int
	until    time.Time
}

// fail begins the next round with a pause of at least d; false for a call of an earlier round, which changes nothing.
func (s *setback) fail(round int, now time.Time, d time.Duration) bool {
	if round != s.round {
		return false
	}
	s.round++
	s.failures++
	s.until = now.Add(d)
	return true
}

// pause is the pause after one more failure, with jitter: first, doubled for each failure so far, never more than most.
func (s *setback) pause() time.Duration {
	b := backoff.ExponentialBackOff{InitialInterval: s.first, MaxInterval: s.most, Multiplier: 2, RandomizationFactor: 0.5}
	d := b.NextBackOff()
	for range min(s.failures, 32) {
		d = b.NextBackOff()
	}
	return min(d, s.most)
}

// succeed ends the setback; false when there is none, or for a call of an earlier round.
func (s *setback) succeed(round int) bool {
	if round != s.round || s.failures == 0 {
		return false
	}
	s.round++
	s.failures, s.until = 0, time.Time{}
	return true
}
