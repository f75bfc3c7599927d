package main

import (
	"context"
	"errors"
	"time"

	"dfinery-kafka/connector/limiter"
)

// breakAPI makes all queries fail until the breaker opens, and then repairs them.
func (s *demoRun) breakAPI(ctx context.Context) error {
	s.headline("The API's database fails: the circuit breaker")
	s.line(plain, "   From now on the API answers each query with query_error. After %d failures in a row the breaker opens, and no call", s.config.Breaker.Failures)
	s.line(plain, "   is made for %s. Then one call, the probe, finds out whether the API is well again:", s.config.Breaker.OpenFor)
	s.source.broken.Store(true)
	opened, err := s.connector.awaitSource(ctx, func(st *limiter.Status) bool { return st.Breaker.State == breakerOpen && st.Quota.InFlight == 0 })
	if err != nil {
		return err
	}
	s.source.broken.Store(false)
	s.line(red, "   The breaker is open until %s (%s). Meanwhile the database was repaired.", opened.Breaker.Until.Format(clock), opened.Breaker.Cause)
	probed, err := s.noCallsWhile(ctx, func(st *limiter.Status) bool { return st.Breaker.State == breakerOpen })
	if err != nil {
		return err
	}
	closed, err := s.connector.awaitSource(ctx, func(st *limiter.Status) bool { return st.Breaker.State == breakerClosed })
	if err != nil {
		return err
	}
	if n := closed.Breaker.Transitions[limiter.Transition{From: breakerOpen, To: breakerHalfOpen}]; n != 1 {
		return errors.New("the breaker was not closed by one probe")
	}
	s.line(green, "   No call was made while it was open. The probe at %s succeeded, and the breaker is closed.", probed.Format(clock))
	return nil
}

// The breaker's states, as limiter.BreakerStatus names them.
const (
	breakerClosed   = "closed"
	breakerOpen     = "open"
	breakerHalfOpen = "half-open"
)

// clock is the demo's format of times.
const clock = "15:04:05.0"

// noCallsWhile waits until the source no longer delays calls for that reason, and
// returns the time. A call meanwhile is an error.
func (s *demoRun) noCallsWhile(ctx context.Context, held func(*limiter.Status) bool) (time.Time, error) {
	before, made := -1, 0
	var wrong error
	_, err := s.connector.awaitSource(ctx, func(st *limiter.Status) bool {
		calls := made
		made = len(s.source.api.Calls()) // for the next poll: these calls were made while calls were delayed
		switch {
		case !held(st):
			return true
		case before < 0:
			before = made
		case calls > before:
			wrong = errors.New("a call was made while calls were delayed")
		}
		return wrong != nil
	})
	return time.Now(), errors.Join(err, wrong)
}
