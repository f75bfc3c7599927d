package limiter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

func TestBreaker_Counts(t *testing.T) {
	refused := failed(schema.Refused, schema.InvalidParameter)
	gone := failed(schema.OutOfReach, schema.ExceedDateRangeLimit)
	stopped := failed(schema.Cancelled, schema.Connection)
	notCSV := failed(schema.Trouble, schema.NotCSV)
	for _, c := range []struct {
		name   string
		tripOn []schema.Code
		calls  []answer
		slices bool
		state  string
		count  int
		cause  string
	}{
		{name: "one below the number", calls: []answer{query, query}, state: "closed", count: 2, cause: "2 × query_error in a row"},
		{name: "as many in a row", calls: []answer{query, query, query}, state: "open", count: 3, cause: "3 × query_error in a row"},
		{name: "of several codes", calls: []answer{query, system, query}, state: "open", count: 3, cause: "2 × query_error, 1 × unknown_error in a row"},
		{name: "failed after rows", calls: []answer{late, late, late}, state: "open", count: 3, cause: "3 × query_error in a row"},
		{name: "a success between", calls: []answer{query, query, good, query}, state: "closed", count: 1, cause: "1 × query_error in a row"},
		{name: "others neither reset nor count", calls: []answer{query, refused, query, gone, stopped, refused}, state: "closed", count: 2, cause: "2 × query_error in a row"},
		{name: "others between", calls: []answer{query, refused, query, gone, stopped, query}, state: "open", count: 3, cause: "3 × query_error in a row"},
		{name: "slices never count", calls: []answer{query, query, query, query}, slices: true, state: "closed"},
		{name: "only the codes configured", tripOn: []schema.Code{schema.QueryError}, calls: []answer{system, system, system}, state: "closed"},
		{name: "a code added", tripOn: []schema.Code{schema.NotCSV}, calls: []answer{notCSV, notCSV, notCSV}, state: "open", count: 3, cause: "3 × not_csv in a row"},
		{name: "never a cancelled call", tripOn: []schema.Code{schema.Connection}, calls: []answer{stopped, stopped, stopped}, state: "closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{Failures: 3, TripOn: c.tripOn, RetryBackoff: 1, RetryMaxBackoff: 1}, nil)
				for _, a := range c.calls {
					<-time.After(time.Millisecond)
					_ = reserve(t, s).make(a, c.slices)
				}
				wanted := limiter.BreakerStatus{State: c.state, Failures: c.count, Cause: c.cause, Transitions: map[limiter.Transition]int{}}
				if c.state == "open" {
					wanted.Until = time.Now().Add(time.Minute)
					wanted.Transitions[limiter.Transition{From: "closed", To: "open"}] = 1
				}
				if diff := cmp.Diff(wanted, s.Status(time.Now()).Breaker); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// opened returns a limiter whose breaker has just opened, and with due set whose first probe
// is due.
func opened(t *testing.T, p limiter.Policy, due bool) *limiter.Limiter {
	t.Helper()
	p.Failures = 1
	s := open(t, p, nil)
	must(t, s, query)
	if due {
		<-time.After(time.Minute)
	}
	return s
}

func TestOneProbeAtItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, limiter.Policy{}, false)
		want(t, s, schema.WaitBreaker, time.Minute)
		<-time.After(time.Minute - 1)
		want(t, s, schema.WaitBreaker, 1)
		<-time.After(1)
		p := reserve(t, s)
		want(t, s, schema.WaitBreaker, noEnd)
		if err := finish(p, good); err != nil {
			t.Fatal(err)
		}
		want(t, s, "", noEnd)
		must(t, s, query)
		want(t, s, schema.WaitBreaker, time.Minute) // the time starts again
	})
}

func TestFailedProbesDoubleTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := opened(t, limiter.Policy{}, false)
		var got []time.Duration
		for range 6 {
			until := s.Status(time.Now()).Breaker.Until
			got = append(got, time.Until(until))
			<-time.After(time.Until(until))
			must(t, s, system)
		}
		wanted := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestProbe_EveryOutcome(t *testing.T) {
	probe := func(a answer) func(t *testing.T, s *limiter.Limiter) {
		return func(t *testing.T, s *limiter.Limiter) { must(t, s, a) }
	}
	for _, c := range []struct {
		name   string
		probe  func(t *testing.T, s *limiter.Limiter)
		reason schema.Reason // of the wait that follows
		left   time.Duration
		state  string
	}{
		{"cancelled permit", func(t *testing.T, s *limiter.Limiter) { reserve(t, s).Cancel() }, "", noEnd, "half-open"},
		{"cancelled call", probe(failed(schema.Cancelled, schema.Connection)), "", noEnd, "half-open"},
		{"refused request", probe(failed(schema.Refused, schema.InvalidParameter)), "", noEnd, "half-open"},
		{"day out of reach", probe(failed(schema.OutOfReach, schema.ExceedDateRangeLimit)), "", noEnd, "half-open"},
		{"refused token", probe(failed(schema.Unauthorized, schema.UnauthorizedToken)), schema.WaitToken, 10 * time.Minute, "half-open"},
		{"throttled", probe(answer{fail: &schema.Failure{Class: schema.Throttled, RetryAfter: time.Minute}}), schema.WaitQuota, time.Minute, "half-open"},
		{"link", probe(answer{fail: &schema.Failure{Class: schema.Trouble, RetryAfter: time.Minute}}), schema.WaitBackoff, time.Minute, "half-open"},
		{"closed early", func(t *testing.T, s *limiter.Limiter) {
			c := reserve(t, s)
			_, _ = c.begin(good, false)
			c.Ended(time.Now(), limiter.Outcome{})
		}, "", noEnd, "half-open"},
		{"failed slice", func(t *testing.T, s *limiter.Limiter) {
			_ = finishSlice(reserve(t, s), query)
		}, schema.WaitBreaker, time.Minute, "open"},
		{"failure", probe(query), schema.WaitBreaker, 2 * time.Minute, "open"},
		{"failure after rows", probe(late), schema.WaitBreaker, 2 * time.Minute, "open"},
		{"success", probe(good), "", noEnd, "closed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := opened(t, limiter.Policy{}, true)
				c.probe(t, s)
				if got := s.Status(time.Now()).Breaker.State; got != c.state {
					t.Errorf("breaker %s, want %s", got, c.state)
				}
				want(t, s, c.reason, c.left)
				if c.state != "half-open" {
					return
				}
				<-time.After(max(0, c.left))
				must(t, s, good)
				if got := s.Status(time.Now()).Breaker.State; got != "closed" {
					t.Errorf("breaker %s after the next probe succeeded", got)
				}
			})
		})
	}
}

func TestBreaker_ResultsOfEarlierCalls(t *testing.T) {
	for _, c := range []struct {
		name string
		a    answer
	}{{"success", good}, {"failure", query}, {"uncounted", failed(schema.Refused, schema.BadHeader)}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{Failures: 2}, nil)
				var early []*call
				for range 3 {
					early = append(early, reserve(t, s))
				}
				must(t, s, query)
				must(t, s, query)
				before := s.Status(time.Now()).Breaker
				_ = finish(early[0], c.a)
				if diff := cmp.Diff(before, s.Status(time.Now()).Breaker); diff != "" {
					t.Errorf("while open: %s", diff)
				}
				<-time.After(time.Minute)
				probe := reserve(t, s)
				_ = finish(early[1], c.a)
				want(t, s, schema.WaitBreaker, noEnd)
				_ = finish(probe, good)
				must(t, s, query)
				_ = finish(early[2], c.a)
				if got := s.Status(time.Now()).Breaker.Failures; got != 1 {
					t.Errorf("%d failures after it closed, want 1", got)
				}
			})
		})
	}
}

func TestLongDownloadCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{Failures: 2}, nil)
		for range 2 {
			c := reserve(t, s)
			if _, err := c.begin(late, false); err != nil {
				t.Fatal(err)
			}
			<-time.After(9 * time.Hour)
			_ = c.end(late, false)
		}
		want(t, s, schema.WaitBreaker, time.Minute)
	})
}
