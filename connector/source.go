package connector

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"dfinery-kafka/schema"
)

// Source makes the export calls of one service, as far as its quota, its breaker, the link and the token let it. Safe for concurrent use.
//
// It has no goroutine: time passes for it when it is asked. So while a call waits for the token, Reserve is what looks at the token's file.
type Source struct {
	export   func(context.Context, schema.Export) (body, error)
	tripOn   []schema.Code
	lineEnds *LineEndLearner // the client's; nil without one

	mu       sync.Mutex // guards all below
	quota    quota
	throttle throttle
	link     link
	token    tokenGate
	breaker  breaker
}

// body is what a Source needs of *Body.
type body interface {
	Columns() *schema.Columns
	Next() (*schema.Row, error)
	More() bool
	Close() error
	Request() schema.Request
	Bytes() int64
	Rows() int64
	RateLimit() RateLimit
	Date() time.Time // the answer's; zero without one
}

// NewSource is a source that makes its calls with client, whose LineEnds, if it has any, it restores and keeps in its state.
// state is what State of an earlier one gave; empty for a fresh start. An error means that it is none: garbage, or of a newer release.
func NewSource(client *Client, policy Policy, state json.RawMessage) (*Source, error) {
	return newSource(func(ctx context.Context, e schema.Export) (body, error) {
		b, err := client.Export(ctx, e)
		if err != nil {
			return nil, err
		}
		return b, nil
	}, client.LineEnds, policy, state)
}

func newSource(export func(context.Context, schema.Export) (body, error), lineEnds *LineEndLearner, policy Policy, state json.RawMessage) (*Source, error) {
	p := policy.withDefaults()
	s := &Source{
		export:   export,
		tripOn:   p.TripOn,
		lineEnds: lineEnds,
		quota:    quota{limit: p.CallsPerHour, concurrent: p.ConcurrentCalls},
		throttle: newThrottle(p.Log),
		link:     link{setback: setback{first: p.RetryBackoff, most: p.RetryMaxBackoff}, log: p.Log},
		token:    tokenGate{file: p.Token, log: p.Log},
		breaker:  newBreaker(p),
	}
	if err := s.restore(state, time.Now()); err != nil {
		return nil, err
	}
	return s, nil
}

// Reserve grants one call now, or says what to wait for. It grants only if spare further calls stay free in the quota's window.
// A permit counts as a call made at now, until it is cancelled; it has to be ended by Export and the body's Close, or by Cancel.
//
// Of several waits it names the longest. A wait without Until ends when another call does. A wait for the token ends early when the token's
// file changes, which only a further Reserve finds out: ask every few seconds.
func (s *Source) Reserve(now time.Time, spare int) (*Permit, schema.Wait) {
	s.mu.Lock()
	defer s.mu.Unlock()
	wait := longest(s.token.wait(now), s.breaker.wait(), s.throttle.wait(now), s.quota.wait(now, spare), s.link.wait(now))
	if wait != (schema.Wait{}) {
		return nil, wait
	}
	ticket, err := s.breaker.take()
	if err != nil {
		return nil, schema.Wait{For: schema.WaitBreaker}
	}
	s.quota.inFlight++
	return &Permit{
		source: s, at: now, seq: s.quota.count(now, true), asks: s.quota.others.ask(now), ticket: ticket,
		link: s.link.begin(), throttle: s.throttle.round, try: s.token.begin(),
	}, schema.Wait{}
}

// longest is the wait with the latest end, the first of those without one when there is no other.
func longest(waits ...schema.Wait) schema.Wait {
	var w schema.Wait
	for _, next := range waits {
		if w.For == "" || next.Until.After(w.Until) {
			w = next
		}
	}
	return w
}

// start counts the call at the time when it is really made, which the API goes by.
func (s *Source) start(p *Permit) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.state != reserved {
		return false
	}
	p.state = started
	s.quota.uncount(p.seq)
	p.at = time.Now()
	p.seq = s.quota.count(p.at, false)
	// The client reads the token right after this, so it may use a newer one: then its refusal is taken for the older one's, and tried once more.
	p.token = s.token.present()
	return true
}

// answered takes what the begin of a body tells: neither throttled nor refused.
func (s *Source) answered(p *Permit, rate RateLimit, date time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.correct(p, time.Now(), rate, date)
	s.throttle.succeed(p.throttle)
	s.token.accept(p.token)
}

// settle ends a call: with a failure; complete; or neither, which decides nothing.
func (s *Source) settle(p *Permit, f *schema.Failure, complete bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.state == ended {
		return
	}
	if p.state == reserved {
		s.quota.uncount(p.seq)
	}
	p.state = ended
	s.quota.inFlight--
	defer s.asked(p)
	if f != nil {
		s.failed(p, f, time.Now())
	} else if complete {
		s.link.succeed(p.link)
	}
	s.link.release(p.link)
	s.token.release(p.try)
	s.decide(p, f, complete)
}

// failed takes what a failure means for the whole service, except for the breaker.
func (s *Source) failed(p *Permit, f *schema.Failure, now time.Time) {
	rate := ParseRateLimit(f.Headers, f.Date)
	reset := s.correct(p, now, rate, f.Date)
	if rate.Known && rate.Remaining > 0 {
		reset = 0 // the hour is not spent: too many calls at once were refused, and the reset has nothing to do with those
	}
	switch f.Class {
	case schema.Trouble:
		s.link.fail(p.link, now, f)
	case schema.Throttled:
		s.throttle.fail(p.throttle, now, reset, f.RetryAfter, &s.quota)
	case schema.Unauthorized:
		s.token.refuse(p.token, now)
	case schema.Outage, schema.Refused, schema.OutOfReach:
		s.token.accept(p.token)
	}
}

// decide makes the call's one decision of the breaker.
func (s *Source) decide(p *Permit, f *schema.Failure, complete bool) {
	counts := f != nil && f.Class != schema.Cancelled && slices.Contains(s.tripOn, f.Code)
	switch {
	case complete:
		s.breaker.report(p.ticket, nil, "")
	case counts && p.slice:
		s.breaker.postpone(p.ticket)
	case counts:
		s.breaker.report(p.ticket, errCounted, f.Code)
	default:
		s.breaker.report(p.ticket, errUncounted, "")
	}
}

// correct takes the rate headers of the answer to p and says how far away the reset is that they name, 0 without one.
// Only the first time, when the answer arrives: a body that fails later brings the same headers, which are old by then.
func (s *Source) correct(p *Permit, now time.Time, rate RateLimit, date time.Time) time.Duration {
	if p.answered {
		return 0
	}
	p.answered = true
	d := resetIn(now, rate.Reset, date)
	q := &s.quota
	if rate.Known {
		until := now.Add(window + margin)
		if d > 0 {
			until = now.Add(d)
		}
		q.others.learn(q.limit-len(q.calls)-rate.Remaining, q.limit-q.known(p.at, now)-rate.Remaining, until)
	} else if p.asks {
		q.others.calls = 0
	}
	q.answered(p.seq, now)
	s.asked(p)
	return d
}

// asked ends the wait for what p, if it asks, finds out of other clients' calls.
func (s *Source) asked(p *Permit) {
	if p.asks {
		p.asks, s.quota.others.asking = false, false
	}
}
