package connector

import (
	"maps"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Status is a snapshot of a Source, for people and for metrics.
type Status struct {
	Breaker BreakerStatus
	Quota   QuotaStatus
	Link    LinkStatus
	Token   TokenStatus
}

// BreakerStatus is the state of the breaker.
type BreakerStatus struct {
	State       string             // closed, open or half-open
	Failures    int                // that counted, in a row, failed probes included
	Cause       string             // those of them that opened it, or are about to; empty without any
	Until       time.Time          // of the open state; zero when closed
	Transitions map[Transition]int // since the start
}

// QuotaStatus is the use of the API's quota.
type QuotaStatus struct {
	Limit     int
	Remaining int       // calls allowed now, never negative
	Made      int       // calls of the last hour that were made here; others may have made more
	ResetsAt  time.Time // when the next call becomes free; zero when all are
	InFlight  int
}

// LinkStatus says whether the service backs off because of the link to the API.
type LinkStatus struct {
	Troubled bool
	Failures int       // in a row
	Code     string    // of the last one
	Until    time.Time // of the pause
}

// TokenStatus says whether the API refuses the token, and whether its file gives one.
type TokenStatus struct {
	Refused bool
	Until   time.Time // of the next try with a refused token
	FileErr error     // nil without a file
}

// Status is the state of the source at now.
func (s *Source) Status(now time.Time) Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Breaker: s.breaker.status(), Quota: s.quota.status(now), Link: s.link.status(), Token: s.token.status()}
	if until := s.throttle.until; until.After(now) {
		st.Quota.Remaining, st.Quota.ResetsAt = 0, until
	}
	return st
}

func (b *breaker) status() BreakerStatus {
	b.observe()
	st := BreakerStatus{State: b.state.String(), Failures: len(b.streak) + b.probes, Cause: b.cause(), Transitions: maps.Clone(b.transitions)}
	if b.state == gobreaker.StateOpen {
		st.Until = b.due
	}
	return st
}

func (q *quota) status(now time.Time) QuotaStatus {
	q.forget(now)
	free := q.free(now)
	st := QuotaStatus{Limit: q.limit, Remaining: max(0, free), Made: len(q.calls), InFlight: q.inFlight}
	if free < q.limit {
		st.ResetsAt = q.next(now, max(0, free)+1)
	}
	return st
}

func (l *link) status() LinkStatus {
	if l.failures == 0 {
		return LinkStatus{}
	}
	return LinkStatus{Troubled: true, Failures: l.failures, Code: string(l.cause), Until: l.until}
}

func (g *tokenGate) status() TokenStatus {
	var st TokenStatus
	if g.refused {
		st.Refused, st.Until = true, g.next
	}
	if g.file != nil {
		st.FileErr = g.file.Err()
	}
	return st
}
