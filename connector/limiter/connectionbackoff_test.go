package limiter_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

func TestConnectionBackoff_Grows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		for _, unjittered := range []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600} {
			must(t, s, cut)
			until := s.State(time.Now()).Link.Until
			pause, least, most := time.Until(until), unjittered*time.Second/2, min(unjittered*time.Second*3/2, 10*time.Minute)
			if pause < least || pause > most {
				t.Errorf("pause %v, want %v to %v", pause, least, most)
			}
			want(t, s, schema.WaitBackoff, pause)
			<-time.After(pause)
		}
		must(t, s, good)
		if link := s.State(time.Now()).Link; link != nil {
			t.Errorf("after a success the connection is still troubled: %v", link)
		}
		must(t, s, cut)
		if until := s.State(time.Now()).Link.Until; time.Until(until) > 3*time.Second/2 {
			t.Errorf("after a success the pause starts at %v", time.Until(until))
		}
	})
}

func TestConnectionBackoff_RetryAfter(t *testing.T) {
	for _, c := range []struct {
		name                    string
		retryAfter, least, most time.Duration
	}{
		{"none", 0, 500 * time.Millisecond, 1500 * time.Millisecond},
		{"a minute", time.Minute, time.Minute, time.Minute},
		{"a day", 24 * time.Hour, time.Hour, time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{}, nil)
				must(t, s, answer{fail: &schema.Failure{Class: schema.Trouble, Code: schema.HTTPStatus(503), RetryAfter: c.retryAfter}})
				if left := time.Until(s.State(time.Now()).Link.Until); left < c.least || left > c.most {
					t.Errorf("pause %v, want %v to %v", left, c.least, c.most)
				}
			})
		})
	}
}

func TestConnectionBackoff_OneCallAtATime(t *testing.T) {
	answered := failed(schema.Outage, schema.QueryError) // answered by the API: neither a success nor a connection failure
	stopped := failed(schema.Cancelled, schema.Connection)
	for _, c := range []struct {
		name     string
		try      answer
		troubled bool
	}{{"success", good, false}, {"answered with a failure", answered, true}, {"cancelled", stopped, true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := open(t, limiter.Policy{}, nil)
				under := reserve(t, s)
				must(t, s, cut)
				<-time.After(2 * time.Second)
				try := reserve(t, s)
				want(t, s, schema.WaitBackoff, noEnd)
				_ = finish(try, c.try)
				first := reserve(t, s)
				reason := schema.Reason("")
				if c.troubled {
					reason = schema.WaitBackoff
				}
				want(t, s, reason, noEnd)
				first.Cancel()
				under.Cancel()
			})
		})
	}
}

func TestOneFaultOfManyCallsIsOneFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		var under []*call
		for range 5 {
			under = append(under, reserve(t, s))
		}
		for _, p := range under[:4] {
			_ = finish(p, cut)
		}
		before := s.State(time.Now()).Link
		_ = finish(under[4], good) // its connection was made before the failure
		if diff := cmp.Diff(before, s.State(time.Now()).Link); diff != "" || before.Failures != 1 || before.Code != "cut_body" {
			t.Errorf("%v %s", before, diff)
		}
	})
}
