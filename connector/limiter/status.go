package limiter

import "time"

// Status is a snapshot of a Limiter, for people and for metrics.
type Status struct {
	Breaker BreakerStatus
	Quota   QuotaStatus
	Token   TokenStatus
}

// BreakerStatus is the state of the breaker.
type BreakerStatus struct {
	State       string             // closed, open or half-open
	Failures    int                // consecutive counted failures, including failed probes
	Cause       string             // the failures that opened it, or are about to; empty without any
	Until       time.Time          // of the open state; zero when closed
	Transitions map[Transition]int // since the start
}

// QuotaStatus is the use of the API's quota.
type QuotaStatus struct {
	Limit     int
	Own       int       // the part of Limit that the API leaves to this process, according to its last answers
	Remaining int       // calls allowed now, never negative
	Made      int       // calls made here in the last hour; other clients may have made more
	ResetsAt  time.Time // when the next call becomes free; zero when all are
	InFlight  int
}

// TokenStatus reports whether the API refuses the token, and whether its source can be read.
type TokenStatus struct {
	Refused bool
	Until   time.Time // of the next attempt with a refused token
	FileErr error     // why the source can't be read; nil if it can
}

// Status is the state at now.
func (l *Limiter) Status(now time.Time) Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	st := Status{Breaker: l.breaker.status(), Quota: l.quota.status(now), Token: l.token.status()}
	if until := l.throttle.until; until.After(now) {
		st.Quota.Remaining, st.Quota.ResetsAt = 0, until
	}
	return st
}
