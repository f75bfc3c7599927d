package limiter_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

var unauthorized = failed(schema.Unauthorized, schema.UnauthorizedToken)

func TestRefusedTokenIsTriedEveryTenMinutes(t *testing.T) {
	for _, file := range []bool{false, true} {
		t.Run(map[bool]string{false: "constant", true: "file"}[file], func(t *testing.T) {
			path := newTokenSource()
			synctest.Test(t, func(t *testing.T) {
				var p limiter.Policy
				if file {
					p.Token = path
					write(path, "one")
				}
				s := open(t, p, nil)
				for range 3 {
					must(t, s, unauthorized)
					want(t, s, schema.WaitToken, 10*time.Minute)
					wanted := limiter.TokenStatus{Refused: true, Until: time.Now().Add(10 * time.Minute)}
					if diff := cmp.Diff(wanted, s.Status(time.Now()).Token); diff != "" {
						t.Error(diff)
					}
					<-time.After(10 * time.Minute)
				}
				try := reserve(t, s)
				want(t, s, schema.WaitToken, noEnd)
				try.Cancel()
				must(t, s, failed(schema.Trouble, schema.Connection)) // no answer about the token
				<-time.After(2 * time.Second)
				try = reserve(t, s)
				want(t, s, schema.WaitToken, noEnd)
				_ = finish(try, good)
				want(t, s, "", noEnd)
				if diff := cmp.Diff(limiter.TokenStatus{}, s.Status(time.Now()).Token); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

func TestRetryTokenTriesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{}, nil)
		s.RetryToken(time.Now()) // nothing is refused
		must(t, s, unauthorized)
		want(t, s, schema.WaitToken, 10*time.Minute)
		s.RetryToken(time.Now())
		must(t, s, unauthorized) // one attempt
		want(t, s, schema.WaitToken, 10*time.Minute)
		s.RetryToken(time.Now())
		must(t, s, good)
		want(t, s, "", noEnd)
	})
}

func TestRotatedTokenResumesAtOnce(t *testing.T) {
	file := newTokenSource()
	synctest.Test(t, func(t *testing.T) {
		write(file, "one")
		s := open(t, limiter.Policy{Token: file}, nil)
		slow := reserve(t, s)
		must(t, s, unauthorized)
		write(file, "one\n")
		want(t, s, schema.WaitToken, 10*time.Minute-time.Second) // the same token
		write(file, "two")
		first := reserve(t, s)
		second := reserve(t, s)
		write(file, "three")
		_ = finish(slow, unauthorized)
		want(t, s, schema.WaitToken, 10*time.Minute) // made with three
		write(file, "four")
		want(t, s, "", noEnd)
		first.Cancel()
		second.Cancel()
	})
}

func TestToken_AnswerToReplacedToken(t *testing.T) {
	for _, c := range []struct {
		name    string
		a       answer
		refused bool // the token in its place
		reason  schema.Reason
		left    time.Duration
	}{
		{"refusal", unauthorized, false, "", noEnd},
		{"acceptance", good, true, schema.WaitToken, 9 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := newTokenSource()
			synctest.Test(t, func(t *testing.T) {
				write(file, "one")
				s := open(t, limiter.Policy{Token: file}, nil)
				p := reserve(t, s)
				c.a.takes = time.Minute + time.Second
				ended := make(chan error)
				go func() { ended <- finish(p, c.a) }()
				synctest.Wait()
				write(file, "two")
				if c.refused {
					must(t, s, unauthorized)
				}
				<-ended
				want(t, s, c.reason, c.left)
			})
		})
	}
}

func TestToken_Missing(t *testing.T) {
	f := newTokenSource()
	synctest.Test(t, func(t *testing.T) {
		s := open(t, limiter.Policy{Token: f}, nil)
		want(t, s, schema.WaitToken, 10*time.Minute)
		if err := s.Status(time.Now()).Token.FileErr; err == nil || !strings.Contains(err.Error(), f.String()) {
			t.Errorf("status says %v", err)
		}
		write(f, "one")
		want(t, s, "", noEnd)
	})
}
