package limiter_test

import (
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// says returns an answer whose headers have the number of remaining calls and a reset in a minute.
func says(remaining int) answer {
	return answer{rate: limiter.RateLimit{Known: true, Remaining: remaining, Reset: time.Now().Add(time.Minute)}}
}

func TestExternalUsage_OneCallAfterReset(t *testing.T) {
	for _, c := range []struct {
		name      string
		ends      func(p *call)
		remaining int // afterwards, of 10 with one call made before
		again     bool
	}{
		{"the others are gone", func(p *call) { _ = finish(p, says(8)) }, 8, false},
		{"the others are still there", func(p *call) { _ = finish(p, says(3)) }, 3, false},
		{"nothing left", func(p *call) { _ = finish(p, says(0)) }, 0, false},
		{"no word", func(p *call) { _ = finish(p, good) }, 8, false},
		{"a failure without a word", func(p *call) { _ = finish(p, query) }, 8, false},
		{"cancelled", func(p *call) { p.Cancel() }, 9, true},
		{"ended without a result", func(p *call) {
			p.Sent(time.Now())
			p.Ended(time.Now(), limiter.Outcome{})
		}, 8, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				policy := limiter.Policy{CallsPerHour: 10}
				s := open(t, policy, nil)
				must(t, s, says(4))
				s = restart(t, s, policy)
				<-time.After(time.Minute + time.Second)
				p := reserve(t, s)
				want(t, s, schema.WaitQuota, noEnd)
				c.ends(p)
				if got := s.Status(time.Now()).Quota.Remaining; got != c.remaining {
					t.Errorf("%d remaining, want %d", got, c.remaining)
				}
				if c.remaining == 0 {
					want(t, s, schema.WaitQuota, time.Minute+time.Second)
					return
				}
				p, next := reserve(t, s), schema.Reason("")
				if c.again {
					next = schema.WaitQuota
				}
				want(t, s, next, noEnd)
				p.Cancel()
			})
		})
	}
}

func TestHeadersOfALongDownloadAreTakenOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{CallsPerHour: 10}, nil)
		a := says(4)
		a.midway = &schema.Failure{Class: schema.Refused, Headers: map[string]string{
			"x-ratelimit-remaining": "4", "x-ratelimit-reset": strconv.FormatInt(a.rate.Reset.Unix(), 10),
		}, Date: time.Now()}
		c := reserve(t, s)
		if _, err := c.begin(a, false); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Hour)
		_ = c.end(a, false)
		if got := s.Status(time.Now()).Quota.Remaining; got != 9 {
			t.Errorf("%d remaining, want 9: the reset was long ago", got)
		}
	})
}

func TestAnswersInAnyOrderAreOneQuota(t *testing.T) {
	for _, c := range []struct {
		name      string
		says      []int // the headers of five concurrent calls, in the order of their starts
		remaining int   // after them, of 100
	}{
		{"alone, in order", []int{99, 98, 97, 96, 95}, 95},
		{"alone, in reverse", []int{95, 96, 97, 98, 99}, 95},
		{"forty others, in order", []int{59, 58, 57, 56, 55}, 55},
		{"forty others, in reverse", []int{55, 56, 57, 58, 59}, 55},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{}, nil)
				var permits []*call
				for range c.says {
					permits = append(permits, reserve(t, s))
				}
				var ended []chan error
				for i, p := range permits {
					a := says(c.says[i])
					a.takes = time.Duration(i+1) * time.Second
					done := make(chan error)
					ended = append(ended, done)
					go func() { done <- finish(p, a) }()
				}
				for _, done := range ended {
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
				if got := s.Status(time.Now()).Quota.Remaining; got != c.remaining {
					t.Errorf("%d remaining, want %d", got, c.remaining)
				}
			})
		})
	}
}

// TestQuota_SmallerThanConfigured: calls that must leave spare ones use the API's quota if it
// is smaller than the configured one.
func TestQuota_SmallerThanConfigured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, limiter.Policy{CallsPerHour: 100}, nil)
		must(t, l, says(4)) // of five
		if got := l.Status(time.Now()).Quota.Own; got != 5 {
			t.Errorf("the API's own quota is %d, want 5", got)
		}
		const spare = 6 // polls of an hour
		for made := range 2 {
			ticket, wait := l.Reserve(time.Now(), spare)
			if ticket == nil {
				t.Fatalf("call %d waits: %v", made+2, wait)
			}
			if err := finish(&call{ticket}, says(3-made)); err != nil {
				t.Fatal(err)
			}
		}
		if ticket, wait := l.Reserve(time.Now(), spare); ticket != nil || wait.For != schema.WaitQuota {
			t.Errorf("a call that leaves less than half of the quota: %v", wait)
		}
		if ticket, wait := l.Reserve(time.Now(), 0); ticket == nil {
			t.Errorf("a poll waits: %v", wait)
		}
	})
}
