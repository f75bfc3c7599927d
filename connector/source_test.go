package connector_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// callRepeatedly makes calls for a duration, each as soon as it is allowed, and returns their
// times.
func callRepeatedly(t *testing.T, s *connector.Source, lasts time.Duration, run func(*connector.Permit)) []time.Duration {
	t.Helper()
	var calls []time.Duration
	start := time.Now()
	ended := make(chan struct{}, 100)
	var workers sync.WaitGroup
	for time.Since(start) < lasts {
		p, wait := s.Reserve(time.Now(), 0)
		if p != nil {
			calls = append(calls, time.Since(start))
			workers.Go(func() { run(p); ended <- struct{}{} })
			continue
		}
		left := lasts
		if !wait.Until.IsZero() {
			left = time.Until(wait.Until)
		}
		timer := time.NewTimer(left)
		select {
		case <-ended:
		case <-timer.C:
		}
		timer.Stop()
	}
	workers.Wait()
	return calls
}

func TestSource_OutageOfTwoHours(t *testing.T) {
	var plan []time.Duration // of the probes, each of which takes 2 seconds
	for at, period := 2*time.Second, time.Minute; at+period < 2*time.Hour; period = min(2*period, 15*time.Minute) {
		at += period
		plan = append(plan, at)
		at += 2 * time.Second
	}
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		got := callRepeatedly(t, s, 2*time.Hour, func(p *connector.Permit) {
			_ = finish(p, answer{takes: 2 * time.Second, fail: system.fail}, schema.Export{})
		})
		before := slices.IndexFunc(got, func(at time.Duration) bool { return at > 2*time.Second })
		if before > 9 {
			t.Errorf("%d calls until the breaker opened, want 5 that failed and at most 4 in progress", before)
		}
		if diff := cmp.Diff(plan, got[before:]); diff != "" {
			t.Error(diff)
		}
		until := s.Status(time.Now()).Breaker.Until
		<-time.After(time.Until(until))
		must(t, s, good)
		wanted := limiter.BreakerStatus{State: "closed", Transitions: map[limiter.Transition]int{
			{From: "closed", To: "open"}: 1, {From: "open", To: "half-open"}: len(plan) + 1, {From: "half-open", To: "open"}: len(plan), {From: "half-open", To: "closed"}: 1,
		}}
		if diff := cmp.Diff(wanted, s.Status(time.Now()).Breaker); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLongestWaitIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{Failures: 1, CallsPerHour: 2}, nil)
		must(t, s, good)
		must(t, s, query)
		want(t, s, schema.WaitQuota, time.Hour+time.Second)
	})
}

func TestPermitIsUsedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		p := reserve(t, s)
		p.Cancel()
		p.Cancel()
		if err := finish(p, good, schema.Export{}); err == nil {
			t.Error("a cancelled permit exports")
		}
		q := reserve(t, s)
		if err := finish(q, good, schema.Export{}); err != nil {
			t.Error(err)
		}
		q.Cancel()
		if err := finish(q, good, schema.Export{}); err == nil {
			t.Error("a permit exports twice")
		}
		wanted := limiter.QuotaStatus{Limit: 100, Own: 100, Remaining: 99, Made: 1, ResetsAt: time.Now().Add(time.Hour + time.Second)}
		if diff := cmp.Diff(wanted, s.Status(time.Now()).Quota); diff != "" {
			t.Error(diff)
		}
	})
}

func TestDownloadHandsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		d, err := reserve(t, s).Export(with(late), schema.Export{})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range 3 {
			row, err := d.Next()
			got = append(got, fmt.Sprint(row != nil, err, d.Request().Rows, d.Request().Bytes))
		}
		wanted := []string{"true <nil> 1 10", "false field_count:  2 20", "false query_error:  3 30"}
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Error(diff)
		}
		if err := errors.Join(d.Close(), d.Close()); err != nil {
			t.Error(err)
		}
		if f := s.Status(time.Now()).Breaker.Failures; f != 1 {
			t.Errorf("%d failures counted, want 1: one call is one decision", f)
		}
	})
}

func TestManyAtOnce(t *testing.T) {
	answers := []answer{good, query, cut, failed(schema.Throttled, schema.TooManyAPIRequests), failed(schema.Unauthorized, schema.UnauthorizedToken), failed(schema.Cancelled, schema.Connection)}
	s := open(t, limiter.Policy{CallsPerHour: 1 << 20, OpenFor: time.Microsecond, RetryBackoff: time.Microsecond, RetryMaxBackoff: time.Microsecond}, nil)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for range 200 {
				if p, _ := s.Reserve(time.Now(), 0); p != nil && rand.N(4) == 0 {
					p.Cancel()
				} else if p != nil {
					_ = finish(p, answers[rand.N(len(answers))], schema.Export{})
				}
				s.Status(time.Now())
				s.State()
			}
		})
	}
	workers.Wait()
	if st := s.Status(time.Now()); st.Quota.InFlight != 0 {
		t.Errorf("%d calls never ended", st.Quota.InFlight)
	}
}

func TestProbe_EveryOutcome(t *testing.T) {
	for _, c := range []struct {
		name  string
		probe func(t *testing.T, p *connector.Permit)
	}{
		{"closed early", func(t *testing.T, p *connector.Permit) {
			d, err := p.Export(with(good), schema.Export{})
			if err != nil {
				t.Fatal(err)
			}
			_, _ = d.Next()
			_ = d.Close()
		}},
		{"panic", func(t *testing.T, p *connector.Permit) {
			defer func() { _ = recover() }()
			_, _ = p.Export(with(answer{panics: true}), schema.Export{})
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{Failures: 1}, nil)
				must(t, s, query)
				<-time.After(time.Minute)
				p := reserve(t, s)
				if !p.Probe() {
					t.Error("the call is not a probe")
				}
				c.probe(t, p)
				if got := s.Status(time.Now()).Breaker.State; got != "half-open" {
					t.Errorf("breaker %s, want half-open", got)
				}
				must(t, s, good)
				if got := s.Status(time.Now()).Breaker.State; got != "closed" {
					t.Errorf("breaker %s after the next probe succeeded", got)
				}
			})
		})
	}
}

func TestFailureNamesTheBreakersState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{Failures: 1}, nil)
		var got []string
		for range 2 {
			for _, a := range []answer{failed(schema.Refused, schema.BadHeader), late} {
				err := finish(reserve(t, s), a, schema.Export{})
				f, _ := errors.AsType[*schema.Failure](err)
				got = append(got, f.Request.Breaker)
			}
			<-time.After(time.Minute)
		}
		if diff := cmp.Diff([]string{"closed", "closed", "half-open", "half-open"}, got); diff != "" {
			t.Error(diff)
		}
	})
}
