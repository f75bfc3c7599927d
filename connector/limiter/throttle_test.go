package limiter_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

func throttled(retryAfter time.Duration) answer {
	return answer{fail: &schema.Failure{Class: schema.Throttled, Code: schema.TooManyAPIRequests, RetryAfter: retryAfter}}
}

func TestThrottledWithoutReset(t *testing.T) {
	for _, c := range []struct {
		name       string
		made       int // calls before, one in each minute
		retryAfter time.Duration
		least      time.Duration
		most       time.Duration
	}{
		{"Retry-After", 0, 90 * time.Second, 90 * time.Second, 90 * time.Second},
		{"Retry-After of a day", 0, 24 * time.Hour, time.Hour, time.Hour},
		{"our own hour is spent", 4, 0, leaves - 4*time.Minute, leaves - 4*time.Minute},
		{"calls are free by our own count", 3, 0, 30 * time.Second, 90 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{CallsPerHour: 5}, nil)
				for range c.made {
					must(t, s, good)
					<-time.After(time.Minute)
				}
				must(t, s, throttled(c.retryAfter))
				now := time.Now()
				_, wait := s.Reserve(now, 0)
				if left := wait.Until.Sub(now); wait.For != schema.WaitQuota || left < c.least || left > c.most {
					t.Errorf("wait for %s, %v; want %s, %v to %v", wait.For, left, schema.WaitQuota, c.least, c.most)
				}
				if q := s.Status(now).Quota; q.Remaining != 0 || !q.ResetsAt.Equal(wait.Until) {
					t.Errorf("status %v, want nothing remaining until %v", q, wait.Until)
				}
			})
		})
	}
}

func TestThrottledUntilTheResetInTheHeaders(t *testing.T) {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of a synctest bubble
	unix := func(d time.Duration) string { return strconv.FormatInt(start.Add(d).Unix(), 10) }
	for _, c := range []struct {
		name    string
		headers map[string]string
		date    time.Duration // difference of the API's clock from ours
		left    time.Duration
	}{
		{"seconds", map[string]string{"x-rate-limit-remaining": "0", "x-rate-limit-reset": unix(20 * time.Minute)}, 0, 20*time.Minute + time.Second},
		{"milliseconds", map[string]string{"x-ratelimit-remaining": "0", "x-ratelimit-reset": unix(20*time.Minute) + "000"}, 0, 20*time.Minute + time.Second},
		{"reset alone", map[string]string{"x-ratelimit-reset": unix(20 * time.Minute)}, 0, 20*time.Minute + time.Second},
		{"clock ahead", map[string]string{"x-ratelimit-reset": unix(80 * time.Minute)}, time.Hour, 20*time.Minute + time.Second},
		{"clock behind", map[string]string{"x-ratelimit-reset": unix(-40 * time.Minute)}, -time.Hour, 20*time.Minute + time.Second},
		{"next week", map[string]string{"x-ratelimit-remaining": "0", "x-ratelimit-reset": unix(168 * time.Hour)}, 0, leaves},
		{"past: Retry-After", map[string]string{"x-ratelimit-reset": unix(-time.Minute)}, 0, 7 * time.Second},
		{"calls remain: Retry-After", map[string]string{"x-ratelimit-remaining": "3", "x-ratelimit-reset": unix(20 * time.Minute)}, 0, 7 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{CallsPerHour: 5}, nil)
				a := throttled(7 * time.Second)
				a.fail.Headers, a.fail.Date = c.headers, start.Add(c.date)
				must(t, s, a)
				want(t, s, schema.WaitQuota, c.left)
				<-time.After(c.left)
				must(t, s, good)
			})
		})
	}
}

func TestThrottledAgainGrowsThePause(t *testing.T) {
	for _, c := range []struct {
		name string
		a    answer
	}{{"without a reason", throttled(0)}, {"with a Retry-After that is always wrong", throttled(time.Second)}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{}, nil)
				start, calls := time.Now(), 0
				for time.Since(start) < 6*time.Hour {
					must(t, s, c.a)
					calls++
					_, wait := s.Reserve(time.Now(), 0)
					if left := time.Until(wait.Until); left > leaves {
						t.Fatalf("pause of %v", left)
					}
					<-time.After(time.Until(wait.Until))
				}
				if calls < 9 || calls > 20 {
					t.Errorf("%d calls in six hours, want 9 to 20", calls)
				}
				must(t, s, good)
				must(t, s, throttled(0))
				if _, wait := s.Reserve(time.Now(), 0); time.Until(wait.Until) > 90*time.Second {
					t.Errorf("after a success the pause starts at %v", time.Until(wait.Until))
				}
			})
		})
	}
}

func TestThrottledCallsUnderWayAreOneRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		var under []*call
		for range 5 {
			under = append(under, reserve(t, s))
		}
		for _, p := range under[:4] {
			_ = finish(p, throttled(20*time.Second))
		}
		_ = finish(under[4], good) // was accepted before the quota was spent
		want(t, s, schema.WaitQuota, 20*time.Second)
	})
}
