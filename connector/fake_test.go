package connector_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"testing"
	"time"

	"dfinery-kafka/connector"
	"dfinery-kafka/connector/limiter"
	"dfinery-kafka/schema"
)

// answer is the answer of the fake API to a call.
type answer struct {
	takes   time.Duration
	fail    *schema.Failure // instead of a body
	midway  *schema.Failure // after the first row
	headers map[string]string
	panics  bool
}

type answerKey struct{}

func with(a answer) context.Context { return context.WithValue(context.Background(), answerKey{}, a) }

// act returns the answer that is in the context.
func act(ctx context.Context, _ schema.Export) (connector.FakeBody, error) {
	a := ctx.Value(answerKey{}).(answer)
	if a.panics {
		panic("act")
	}
	timer := time.NewTimer(a.takes)
	defer timer.Stop()
	<-timer.C
	if a.fail != nil {
		return nil, clone(a.fail)
	}
	a.midway = clone(a.midway)
	return &fakeBody{answer: a}, nil
}

// clone copies a failure: as with the client, calls do not share failures.
func clone(f *schema.Failure) *schema.Failure {
	if f == nil {
		return nil
	}
	c := *f
	return &c
}

type fakeBody struct {
	answer
	rows int64
}

func (b *fakeBody) Next() (*schema.Row, error) {
	b.rows++
	switch {
	case b.rows == 1:
		return &schema.Row{Line: 2}, nil
	case b.rows == 2:
		return nil, &schema.BadRow{Code: schema.FieldCount}
	case b.midway != nil:
		return nil, b.midway
	}
	return nil, io.EOF
}

func (b *fakeBody) More() bool                 { return false }
func (b *fakeBody) Columns() *schema.Columns   { return nil }
func (b *fakeBody) Charset() string            { return "" }
func (b *fakeBody) Framed() bool               { return true }
func (b *fakeBody) Close() error               { return nil }
func (b *fakeBody) Request() schema.Request    { return schema.Request{Rows: b.rows, Bytes: 10 * b.rows} }
func (b *fakeBody) Headers() map[string]string { return b.headers }
func (b *fakeBody) Date() time.Time            { return time.Time{} }

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

func open(t *testing.T, p limiter.Policy, state json.RawMessage) *connector.Source {
	t.Helper()
	s, err := connector.NewFakeSource(act, p, state)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// finish exports until the end of the answer and returns the failure.
func finish(p *connector.Permit, a answer, e schema.Export) error {
	d, err := p.Export(with(a), e)
	if err != nil {
		return err
	}
	for {
		_, err := d.Next()
		if _, bad := errors.AsType[*schema.BadRow](err); err == nil || bad {
			continue
		}
		_ = d.Close()
		if err == io.EOF {
			return nil
		}
		return err
	}
}

// call makes one complete call, or returns the wait if none is allowed now.
func call(s *connector.Source, a answer) schema.Wait {
	p, wait := s.Reserve(time.Now(), 0)
	if p != nil {
		_ = finish(p, a, schema.Export{})
	}
	return wait
}

// must makes one complete call, and fails the test if it is not allowed now.
func must(t *testing.T, s *connector.Source, a answer) {
	t.Helper()
	if wait := call(s, a); wait != (schema.Wait{}) {
		t.Fatalf("the call has to wait: %v", wait)
	}
}

func reserve(t *testing.T, s *connector.Source) *connector.Permit {
	t.Helper()
	p, wait := s.Reserve(time.Now(), 0)
	if p == nil {
		t.Fatalf("no permit: %v", wait)
	}
	return p
}

// want compares the wait that Reserve returns now: its reason and the time left, which is
// negative for a wait without an end.
func want(t *testing.T, s *connector.Source, reason schema.Reason, left time.Duration) {
	t.Helper()
	now := time.Now()
	p, wait := s.Reserve(now, 0)
	if p != nil {
		p.Cancel()
	}
	got := -time.Second
	if !wait.Until.IsZero() {
		got = wait.Until.Sub(now)
	}
	if wait.For != reason || got != left {
		t.Fatalf("wait for %q, %v; want %q, %v", wait.For, got, reason, left)
	}
}

const noEnd = -time.Second
