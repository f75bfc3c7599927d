package limiter_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// answer is the API's answer to a call.
type answer struct {
	takes  time.Duration
	fail   *schema.Failure // instead of a body
	midway *schema.Failure // after the body began
	rate   limiter.RateLimit
	date   time.Time
}

func failed(class schema.Class, code schema.Code) answer {
	return answer{fail: &schema.Failure{Class: class, Code: code}}
}

var (
	good   = answer{}
	query  = failed(schema.Outage, schema.QueryError)
	system = failed(schema.Outage, schema.UnknownError)
	cut    = answer{midway: &schema.Failure{Class: schema.Trouble, Code: schema.CutBody}}
	late   = answer{midway: &schema.Failure{Class: schema.Outage, Code: schema.QueryError}}
)

// open returns a limiter with a state in JSON, or without one.
func open(t *testing.T, p limiter.Policy, state []byte) *limiter.Limiter {
	t.Helper()
	var s limiter.State
	if state != nil {
		if err := json.Unmarshal(state, &s); err != nil {
			t.Fatal(err)
		}
	}
	return limiter.New(p, s, time.Now())
}

func saved(t *testing.T, l *limiter.Limiter) []byte {
	t.Helper()
	state, err := json.Marshal(l.State(time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// restart returns the limiter of a new process after a crash.
func restart(t *testing.T, l *limiter.Limiter, p limiter.Policy) *limiter.Limiter {
	t.Helper()
	return open(t, p, saved(t, l))
}

// call is a call that was reserved.
type call struct{ *limiter.Ticket }

func (c *call) Cancel() { c.Ticket.Cancel(time.Now()) }

var errUsed = errors.New("used")

// begin makes the call up to the header of its answer; false if there is no body to read.
func (c *call) begin(a answer, slice bool) (body bool, err error) {
	if !c.Sent(time.Now()) {
		return false, errUsed
	}
	time.Sleep(a.takes)
	if a.fail != nil {
		c.Ended(time.Now(), limiter.Outcome{Failure: a.fail, Slice: slice})
		return false, a.fail
	}
	c.Answered(time.Now(), a.rate, a.date)
	return true, nil
}

func (c *call) end(a answer, slice bool) error {
	if a.midway != nil {
		c.Ended(time.Now(), limiter.Outcome{Failure: a.midway, Slice: slice})
		return a.midway
	}
	c.Ended(time.Now(), limiter.Outcome{Complete: true, Slice: slice})
	return nil
}

func (c *call) make(a answer, slice bool) error {
	if body, err := c.begin(a, slice); !body {
		return err
	}
	return c.end(a, slice)
}

// finish makes the complete call and returns its failure.
func finish(c *call, a answer) error { return c.make(a, false) }

// finishSlice makes the complete call for a slice of a day.
func finishSlice(c *call, a answer) error { return c.make(a, true) }

// try makes one complete call, or returns the wait if none is allowed now.
func try(l *limiter.Limiter, a answer) schema.Wait {
	ticket, wait := l.Reserve(time.Now(), 0)
	if ticket != nil {
		_ = finish(&call{ticket}, a)
	}
	return wait
}

// must makes one complete call, and fails the test if it is not allowed now.
func must(t *testing.T, l *limiter.Limiter, a answer) {
	t.Helper()
	if wait := try(l, a); wait != (schema.Wait{}) {
		t.Fatalf("the call has to wait: %v", wait)
	}
}

func reserve(t *testing.T, l *limiter.Limiter) *call {
	t.Helper()
	ticket, wait := l.Reserve(time.Now(), 0)
	if ticket == nil {
		t.Fatalf("no ticket: %v", wait)
	}
	return &call{ticket}
}

// want compares the wait that Reserve returns now: its reason and the time left, noEnd for a
// wait without an end.
func want(t *testing.T, l *limiter.Limiter, reason schema.Reason, left time.Duration) {
	t.Helper()
	now := time.Now()
	ticket, wait := l.Reserve(now, 0)
	if ticket != nil {
		ticket.Cancel(now)
	}
	got := noEnd
	if !wait.Until.IsZero() {
		got = wait.Until.Sub(now)
	}
	if wait.For != reason || got != left {
		t.Fatalf("wait for %q, %v; want %q, %v", wait.For, got, reason, left)
	}
}

const noEnd = -time.Second

// tokenSource is a source of a token that tests change.
type tokenSource struct {
	mu    sync.Mutex
	token schema.Secret
	err   error
}

func (s *tokenSource) Secret() (schema.Secret, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.token == "" {
		return "", s.err
	}
	return s.token, nil
}

func (s *tokenSource) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *tokenSource) String() string { return "/run/token" }

func newTokenSource() *tokenSource { return &tokenSource{err: errors.New("/run/token: no such file")} }

// write changes the token, and waits for a second.
func write(s *tokenSource, token string) {
	s.mu.Lock()
	s.token, s.err = schema.Secret(strings.TrimSpace(token)), nil
	s.mu.Unlock()
	<-time.After(time.Second)
}

// remove removes the token, as deleting its file does.
func remove(s *tokenSource) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.New("/run/token: no such file")
}
