package limiter_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

const leaves = time.Hour + time.Second // until a call no longer counts

func TestQuotaLeavesSpareCalls(t *testing.T) {
	for _, c := range []struct {
		name   string
		made   int // one a minute
		spare  int
		reason schema.Reason
		left   time.Duration
	}{
		{"none made", 0, 0, "", noEnd},
		{"none made, all but one spare", 0, 9, "", noEnd},
		{"more spare than there are", 0, 10, schema.WaitQuota, leaves},
		{"the last one", 9, 0, "", noEnd},
		{"the last one spare", 9, 1, schema.WaitQuota, leaves - 9*time.Minute},
		{"all made", 10, 0, schema.WaitQuota, leaves - 10*time.Minute},
		{"all made, three spare", 10, 3, schema.WaitQuota, leaves - 7*time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{CallsPerHour: 10}, nil)
				for range c.made {
					must(t, s, good)
					<-time.After(time.Minute)
				}
				now := time.Now()
				p, got := s.Reserve(now, c.spare)
				wanted := schema.Wait{For: c.reason}
				if c.left != noEnd {
					wanted.Until = now.Add(c.left)
				}
				if diff := cmp.Diff(wanted, got); diff != "" || (p == nil) != (c.reason != "") {
					t.Errorf("permit %v: %s", p != nil, diff)
				}
			})
		})
	}
}

func TestConcurrentCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{ConcurrentCalls: 2, CallsPerHour: 3}, nil)
		first, second := reserve(t, s), reserve(t, s)
		want(t, s, schema.WaitQuota, noEnd)
		first.Cancel()
		third := reserve(t, s)
		want(t, s, schema.WaitQuota, noEnd)
		if err := finish(second, good); err != nil {
			t.Fatal(err)
		}
		fourth := reserve(t, s)
		want(t, s, schema.WaitQuota, leaves) // the hour is spent too
		third.Cancel()
		fourth.Cancel()
		wanted := limiter.QuotaStatus{Limit: 3, Own: 3, Remaining: 2, Made: 1, ResetsAt: time.Now().Add(leaves)}
		if diff := cmp.Diff(wanted, s.Status(time.Now()).Quota); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCallCountsFromWhenItIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{CallsPerHour: 1}, nil)
		p := reserve(t, s)
		<-time.After(10 * time.Second)
		_ = finish(p, good)
		want(t, s, schema.WaitQuota, leaves)
	})
}

// TestCallMadeAfterItsState: the state that is written before a call does not have the time of
// the call. After a crash it may have been made right before the restart.
func TestCallMadeAfterItsState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{CallsPerHour: 2}, nil)
		must(t, s, good)
		<-time.After(time.Minute)
		p := reserve(t, s)
		state := saved(t, s)
		<-time.After(40 * time.Second) // Kafka acknowledges the state slowly
		_ = finish(p, good)
		s = open(t, limiter.Policy{CallsPerHour: 2}, state)
		want(t, s, schema.WaitQuota, leaves-100*time.Second)
		<-time.After(leaves - 100*time.Second)
		must(t, s, good)
		want(t, s, schema.WaitQuota, 100*time.Second)
	})
}

func TestHeadersCorrectTheQuota(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of a synctest bubble
	for _, c := range []struct {
		name      string
		rate      limiter.RateLimit
		date      time.Time
		remaining int
		resets    time.Duration
		later     int // remaining calls after the reset
	}{
		{"none", limiter.RateLimit{}, time.Time{}, 9, leaves, 10},
		{"as we count", limiter.RateLimit{Known: true, Remaining: 9, Reset: start.Add(time.Minute)}, time.Time{}, 9, leaves, 10},
		{"more than we count", limiter.RateLimit{Known: true, Remaining: 99, Reset: start.Add(time.Minute)}, time.Time{}, 9, leaves, 10},
		{"another client's calls", limiter.RateLimit{Known: true, Remaining: 4, Reset: start.Add(20 * time.Minute)}, time.Time{}, 4, 20*time.Minute + time.Second, 9},
		{"nothing left", limiter.RateLimit{Known: true, Remaining: 0, Reset: start.Add(20 * time.Minute)}, time.Time{}, 0, 20*time.Minute + time.Second, 9},
		{"below nothing", limiter.RateLimit{Known: true, Remaining: -3, Reset: start.Add(20 * time.Minute)}, time.Time{}, 0, 20*time.Minute + time.Second, 9},
		{"no reset", limiter.RateLimit{Known: true, Remaining: 4}, time.Time{}, 4, leaves, 10},
		{"a reset of the past", limiter.RateLimit{Known: true, Remaining: 4, Reset: start.Add(-time.Minute)}, time.Time{}, 4, leaves, 10},
		{"a reset of next week", limiter.RateLimit{Known: true, Remaining: 4, Reset: start.Add(168 * time.Hour)}, time.Time{}, 4, leaves, 10},
		{"the API's clock is ahead", limiter.RateLimit{Known: true, Remaining: 4, Reset: start.Add(80 * time.Minute)}, start.Add(time.Hour), 4, 20*time.Minute + time.Second, 9},
		{"the API's clock is behind", limiter.RateLimit{Known: true, Remaining: 4, Reset: start.Add(-40 * time.Minute)}, start.Add(-time.Hour), 4, 20*time.Minute + time.Second, 9},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{CallsPerHour: 10}, nil)
				must(t, s, answer{rate: c.rate, date: c.date})
				wanted := limiter.QuotaStatus{Limit: 10, Own: min(10, 1+c.remaining), Remaining: c.remaining, Made: 1, ResetsAt: time.Now().Add(c.resets)}
				if diff := cmp.Diff(wanted, s.Status(time.Now()).Quota); diff != "" {
					t.Error(diff)
				}
				<-time.After(c.resets)
				if got := s.Status(time.Now()).Quota.Remaining; got != c.later {
					t.Errorf("%d remaining after the reset, want %d", got, c.later)
				}
			})
		})
	}
}

// api counts the calls of this and other clients in a moving hour, as the Export API may.
type api struct{ calls []time.Time }

const apiLimit = 100

func (a *api) remaining() int {
	a.calls = slices.DeleteFunc(a.calls, func(at time.Time) bool { return time.Since(at) > time.Hour })
	return apiLimit - len(a.calls)
}

// take answers a call, or refuses it until the oldest call is an hour ago.
func (a *api) take(headers bool) answer {
	if a.remaining() <= 0 {
		return throttled(time.Until(a.calls[0].Add(time.Hour)) + time.Second)
	}
	a.calls = append(a.calls, time.Now())
	return answer{rate: limiter.RateLimit{Known: headers, Remaining: a.remaining(), Reset: a.calls[0].Add(time.Hour)}}
}

func TestNeverMoreCallsThanTheHourAllows(t *testing.T) {
	for _, c := range []struct {
		name     string
		restarts bool
		others   int // calls of another client an hour
		least    int // of our calls answered in five hours
		refused  int // maximum of our calls
	}{
		{"alone", false, 0, 490, 0},
		{"with restarts", true, 0, 490, 0},
		{"with another client", false, 40, 280, 60},
		{"with another client and restarts", true, 40, 280, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a, random := &api{}, rand.New(rand.NewPCG(1, 2))
				s := open(t, limiter.Policy{}, nil)
				answered, refused := 0, 0
				for start := time.Now(); time.Since(start) < 5*time.Hour; {
					if random.IntN(int(time.Hour/(20*time.Second))) < c.others {
						a.take(true)
					}
					if p, _ := s.Reserve(time.Now(), 0); p != nil {
						if err := finish(&call{p}, a.take(c.others > 0)); err == nil {
							answered++
						} else {
							refused++
						}
					}
					if c.restarts && random.IntN(4) == 0 {
						s = restart(t, s, limiter.Policy{})
					}
					<-time.After(time.Duration(5+random.IntN(30)) * time.Second)
				}
				if answered < c.least || refused > c.refused {
					t.Errorf("%d answered, want at least %d; %d refused, want at most %d", answered, c.least, refused, c.refused)
				}
			})
		})
	}
}
