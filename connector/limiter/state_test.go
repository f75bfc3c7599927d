package limiter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// phases bring a new limiter, with Failures 2 and CallsPerHour 5, into each of its possible states.
var phases = []struct {
	name string
	lead func(t *testing.T, s *limiter.Limiter)
}{
	{"fresh", func(*testing.T, *limiter.Limiter) {}},
	{"calls made", func(t *testing.T, s *limiter.Limiter) { must(t, s, good); <-time.After(time.Minute); must(t, s, good) }},
	{"hour spent", func(t *testing.T, s *limiter.Limiter) {
		for range 5 {
			must(t, s, good)
		}
	}},
	{"another client", func(t *testing.T, s *limiter.Limiter) {
		must(t, s, answer{rate: limiter.RateLimit{Known: true, Reset: time.Now().Add(time.Minute)}})
	}},
	{"failures that count", func(t *testing.T, s *limiter.Limiter) { must(t, s, query) }},
	{"open", func(t *testing.T, s *limiter.Limiter) { must(t, s, query); must(t, s, system) }},
	{"open for longer", func(t *testing.T, s *limiter.Limiter) {
		must(t, s, query)
		must(t, s, system)
		<-time.After(time.Minute)
		must(t, s, query)
		<-time.After(30 * time.Second)
	}},
	{"half-open", func(t *testing.T, s *limiter.Limiter) {
		must(t, s, query)
		must(t, s, system)
		<-time.After(time.Minute)
	}},
	{"closed again", func(t *testing.T, s *limiter.Limiter) {
		must(t, s, query)
		must(t, s, system)
		<-time.After(time.Minute)
		must(t, s, good)
	}},
	{"throttled", func(t *testing.T, s *limiter.Limiter) { must(t, s, throttled(time.Minute)) }},
	{"link troubled", func(t *testing.T, s *limiter.Limiter) { must(t, s, cut) }},
	{"link to be tried", func(t *testing.T, s *limiter.Limiter) { must(t, s, cut); <-time.After(time.Hour) }},
}

// observed returns everything that can be observed of a limiter, except the transitions since
// its start.
func observed(s *limiter.Limiter) (limiter.Status, schema.Wait) {
	<-time.After(2) // a breaker restored after its time is due after 2 ns
	p, wait := s.Reserve(time.Now(), 0)
	if p != nil {
		p.Cancel(time.Now())
	}
	st := s.Status(time.Now())
	st.Breaker.Transitions = nil
	return st, wait
}

func TestRestartChangesNothing(t *testing.T) {
	policy := limiter.Policy{Failures: 2, CallsPerHour: 5}
	for _, c := range phases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, policy, nil)
				c.lead(t, s)
				for range 3 {
					again := restart(t, s, policy)
					before, waitBefore := observed(s)
					after, waitAfter := observed(again)
					if diff := cmp.Diff(before, after); diff != "" {
						t.Errorf("status: %s", diff)
					}
					if diff := cmp.Diff(waitBefore, waitAfter); diff != "" {
						t.Errorf("wait: %s", diff)
					}
					if diff := cmp.Diff(string(saved(t, s)), string(saved(t, again))); diff != "" && before.Breaker.State != "half-open" {
						t.Errorf("state: %s", diff)
					}
					s = again
				}
			})
		})
	}
}

func TestRestartKeepsTheDoubling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := limiter.Policy{Failures: 1}
		s := open(t, policy, nil)
		must(t, s, query)
		var got []time.Duration
		for range 5 {
			s = restart(t, s, policy)
			left := time.Until(s.Status(time.Now()).Breaker.Until)
			got = append(got, left)
			<-time.After(left)
			s = restart(t, s, policy)
			<-time.After(2)
			probe := reserve(t, s)
			s = restart(t, s, policy) // the probe died with its process
			probe.Cancel()
			<-time.After(2)
			must(t, s, system)
		}
		wanted := []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestFailedProbeAfterARestartInRealTime: in synctest the clock stops while a result is
// reported. In real time it does not, and the rest of the period after a restart passes
// meanwhile.
func TestFailedProbeAfterARestartInRealTime(t *testing.T) {
	s := open(t, limiter.Policy{}, []byte(
		`{"breaker":{"streak":["query_error"],"probes":1,"period_ns":60000000000,"due":"1990-01-01T00:00:00Z"}}`))
	<-time.After(time.Millisecond)
	must(t, s, query)
	got := s.Status(time.Now()).Breaker
	got.Until = time.Time{}
	wanted := limiter.BreakerStatus{State: "open", Failures: 3, Cause: "1 × query_error in a row", Transitions: map[limiter.Transition]int{
		{From: "open", To: "half-open"}: 1, {From: "half-open", To: "open"}: 1,
	}}
	if diff := cmp.Diff(wanted, got); diff != "" {
		t.Error(diff)
	}
	if p, wait := s.Reserve(time.Now(), 0); p != nil || wait.For != schema.WaitBreaker {
		t.Errorf("another call is allowed at once: %+v", wait)
	}
}

func TestStateOfAWrongClock(t *testing.T) {
	for _, c := range []struct {
		name, state string
		reason      schema.Reason
		left        time.Duration
	}{
		{"calls", `"calls":[4102444800000,4102444800000]`, schema.WaitQuota, leaves},
		{"calls long ago", `"calls":[0,1]`, "", noEnd},
		{"others", `"others":{"calls":2,"until":"2100-01-01T00:00:00Z"}`, schema.WaitQuota, leaves},
		{"others of less than none", `"others":{"calls":-2,"until":"2100-01-01T00:00:00Z"}`, "", noEnd},
		{"throttle", `"throttle":{"failures":1,"until":"2100-01-01T00:00:00Z"}`, schema.WaitQuota, leaves},
		{"link", `"link":{"failures":3,"until":"2100-01-01T00:00:00Z","code":"timeout"}`, schema.WaitBackoff, time.Hour},
		{"breaker", `"breaker":{"streak":["query_error"],"probes":9,"period_ns":60000000000,"due":"2100-01-01T00:00:00Z"}`, schema.WaitBreaker, 15 * time.Minute},
		{"breaker long ago", `"breaker":{"streak":["query_error"],"probes":9,"period_ns":60000000000,"due":"1990-01-01T00:00:00Z"}`, schema.WaitBreaker, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{Failures: 1, CallsPerHour: 2}, []byte(`{`+c.state+`}`))
				want(t, s, c.reason, c.left)
				<-time.After(max(0, c.left))
				must(t, s, good)
			})
		})
	}
}

func TestStateUnderANewPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{Failures: 9}, nil)
		for range 7 {
			must(t, s, query)
		}
		s = restart(t, s, limiter.Policy{Failures: 3, CallsPerHour: 4})
		if got := s.Status(time.Now()).Breaker; got.State != "closed" || got.Failures != 2 {
			t.Errorf("%+v, want closed with 2 failures: the next opens it", got)
		}
		want(t, s, schema.WaitQuota, leaves)
		s = restart(t, s, limiter.Policy{Failures: 3, OpenFor: time.Hour, MaxOpenFor: 2 * time.Hour})
		must(t, s, query)
		want(t, s, schema.WaitBreaker, time.Hour)
		s = restart(t, s, limiter.Policy{MaxOpenFor: 2 * time.Minute})
		want(t, s, schema.WaitBreaker, 2*time.Minute)
		<-time.After(2 * time.Minute)
		_ = finishSlice(reserve(t, s), query)
		want(t, s, schema.WaitBreaker, 2*time.Minute)
	})
}

func TestState_OldCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		for range 100 {
			must(t, s, good)
		}
		<-time.After(leaves)
		if diff := cmp.Diff(`{}`, string(saved(t, s))); diff != "" {
			t.Error(diff)
		}
	})
}
