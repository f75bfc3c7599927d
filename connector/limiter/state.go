package limiter

import (
	"slices"
	"time"

	"dfinery-kafka/schema"
)

// State is the state of a Limiter as written to the ledger: its members and their JSON are public.
// Times are absolute: a restart neither shortens nor lengthens a wait. It contains no secrets.
type State struct {
	Calls    []int64        `json:"calls,omitempty"`    // Unix milliseconds, ascending
	Reserved []int64        `json:"reserved,omitempty"` // those of Calls that were not yet made
	External *ExternalState `json:"others,omitempty"`
	Throttle *CooldownState `json:"throttle,omitempty"`
	Link     *CooldownState `json:"link,omitempty"`
	Breaker  *BreakerState  `json:"breaker,omitempty"`
}

// ExternalState is the use of the quota by other clients.
type ExternalState struct {
	Calls int       `json:"calls"`
	Until time.Time `json:"until"`
}

// CooldownState is a pause that grows with each failure.
type CooldownState struct {
	Failures int         `json:"failures"`
	Until    time.Time   `json:"until"`
	Code     schema.Code `json:"code,omitempty"`
}

// BreakerState is the breaker, closed with failures or open.
type BreakerState struct {
	Streak []schema.Code `json:"streak,omitempty"`
	Probes int           `json:"probes,omitempty"`
	Period time.Duration `json:"period_ns,omitempty"` // 0: closed
	Due    time.Time     `json:"due,omitzero"`
}

// State is what New needs to continue after a restart.
func (l *Limiter) State(now time.Time) State {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.quota.forget(now)
	s := State{Throttle: l.throttle.save(""), Link: l.connection.save(l.connection.code), Breaker: l.breaker.save()}
	for _, c := range l.quota.calls {
		s.Calls = append(s.Calls, c.at.UnixMilli())
		if c.reserved {
			s.Reserved = append(s.Reserved, c.at.UnixMilli())
		}
	}
	if u := l.quota.external; u.calls > 0 {
		s.External = &ExternalState{u.calls, u.until.UTC()}
	}
	return s
}

// restore loads a saved state. A clock that was, or is, wrong makes no pause longer than the
// policy allows.
func (l *Limiter) restore(s State, now time.Time) {
	reserved := slices.Clone(s.Reserved)
	for _, ms := range s.Calls {
		// A call in the future was made before now, when the clock was ahead.
		at := sooner(time.UnixMilli(ms), now)
		// A reserved call may have been made at any time since: Kafka may have been slow to
		// store this state, or the fingerprints.
		if i := slices.Index(reserved, ms); i >= 0 {
			reserved = slices.Delete(reserved, i, i+1)
			at = now
		}
		l.quota.calls = append(l.quota.calls, counted{at: at})
	}
	slices.SortFunc(l.quota.calls, func(a, b counted) int { return a.at.Compare(b.at) })
	if u := s.External; u != nil {
		l.quota.external = externalUsage{calls: max(0, u.Calls), until: sooner(u.Until, now.Add(window+margin))}
	}
	l.throttle.load(s.Throttle, now.Add(window+margin))
	l.connection.load(s.Link, now.Add(max(l.connection.longest, window)))
	if s.Link != nil {
		l.connection.code = s.Link.Code
	}
	l.breaker.load(s.Breaker, now)
}

func sooner(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

func (c *cooldown) save(code schema.Code) *CooldownState {
	if c.failures == 0 {
		return nil
	}
	return &CooldownState{c.failures, c.until.UTC(), code}
}

func (c *cooldown) load(s *CooldownState, latest time.Time) {
	if s == nil {
		return
	}
	c.failures, c.until = max(0, s.Failures), sooner(s.Until, latest)
}

func (b *breaker) save() *BreakerState {
	if len(b.streak) == 0 && b.period == 0 {
		return nil
	}
	return &BreakerState{Streak: slices.Clone(b.streak), Probes: b.probes, Period: b.period, Due: b.due.UTC()}
}

// load replays the failures of a closed breaker, or opens it for the remaining time. The result
// of a probe in flight is lost: the next call is a probe.
func (b *breaker) load(s *BreakerState, now time.Time) {
	if s == nil {
		return
	}
	if s.Period > 0 {
		b.streak, b.probes = s.Streak, max(0, s.Probes)
		b.period = min(s.Period, b.maxOpenFor)
		b.reopen(min(s.Due.Sub(now), b.maxOpenFor))
		return
	}
	// If the policy now allows fewer failures, the next one opens it.
	b.streak = s.Streak[max(0, len(s.Streak)-b.failures+1):]
	for range b.streak {
		if done, err := b.cb.Allow(); err == nil {
			done(errCounted)
		}
	}
}
