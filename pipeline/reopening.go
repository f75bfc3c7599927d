package pipeline

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// reopening spaces the takeovers for the sake of one stream that is left out: each ends the exports of all the others.
type reopening struct {
	wait backoff.ExponentialBackOff
	next time.Time
}

// mayReopen says whether it is time to try again for a stream: at once for the first time, then less and less often.
func (s *Service) mayReopen(stream string, now time.Time) bool {
	r := s.reopenings[stream]
	if r == nil {
		first := 2 * s.OwnerHeartbeat
		r = &reopening{wait: backoff.ExponentialBackOff{InitialInterval: first, Multiplier: 2, MaxInterval: max(first, s.RetryMaxBackoff)}}
		if s.reopenings == nil {
			s.reopenings = map[string]*reopening{}
		}
		s.reopenings[stream] = r
	}
	if now.Before(r.next) {
		return false
	}
	r.next = now.Add(r.wait.NextBackOff())
	return true
}
