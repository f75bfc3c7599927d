// Package limiter decides when the next call of the Export API may be made.
//
// Each reason to wait is a separate Limit: the token is refused, the breaker is open, the API
// throttles, the quota is used up, the connection to the API fails. A Limiter grants a call if
// no Limit has to wait; each Limit then observes that call until it ends. The effect of a
// failure on each of them is defined in one place, schema.RuleOf and schema.Class.Effect.
package limiter

import (
	"sync"
	"time"

	"dfinery-kafka/schema"
)

// Limit is one reason why no call may be made now.
type Limit interface {
	// Wait returns what the next call must wait for; the zero Wait if nothing. The quota for
	// spare further calls must remain free.
	Wait(now time.Time, spare int) schema.Wait
	// Begin registers a granted call. It is called only after Wait returned the zero Wait.
	Begin(now time.Time) Call
}

// Call is one granted call, as observed by one Limit. Concurrent calls end in any order.
type Call interface {
	// Sent is called just before the request is sent. It is not called for a call that is
	// cancelled.
	Sent(now time.Time)
	// Answered is called once, when the header of the answer has arrived or the call failed
	// without one.
	Answered(now time.Time, a Answer)
	// Ended is called once, last.
	Ended(now time.Time, o Outcome)
}

// Answer is the relevant content of an answer's header.
type Answer struct {
	RateLimit
	Date   time.Time // by the API's clock; zero when unknown
	Failed bool      // the answer has no rows
}

// Outcome is how a call ended. A call that neither failed nor is complete, such as a cancelled
// one, says nothing about the API.
type Outcome struct {
	Failure  *schema.Failure // nil: none
	Complete bool            // the body was read to its end
	Slice    bool            // of a day's events: its failures do not count for the breaker
}

// effect is the effect of the outcome on the next calls.
func (o Outcome) effect() schema.Effect {
	if o.Failure == nil {
		return schema.Effect{}
	}
	return o.Failure.Class.Effect()
}

// Limiter grants the calls of one service. It is safe for concurrent use.
//
// It has no goroutine: it reads the time and the token only when a method is called.
type Limiter struct {
	mu sync.Mutex // guards all below

	token      tokenGate
	breaker    breaker
	throttle   throttle
	quota      quota
	connection connectionBackoff
}

// New returns a limiter that continues from a saved state; the zero State is a fresh start.
func New(policy Policy, state State, now time.Time) *Limiter {
	p := policy.withDefaults()
	l := &Limiter{
		token:      tokenGate{source: p.Token, log: p.Log},
		breaker:    newBreaker(p),
		quota:      quota{limit: p.CallsPerHour, concurrent: p.ConcurrentCalls},
		connection: connectionBackoff{cooldown: cooldown{first: p.RetryBackoff, longest: p.RetryMaxBackoff}, log: p.Log},
	}
	l.throttle = newThrottle(&l.quota, p.Log)
	l.restore(state, now)
	return l
}

// limits is ordered by precedence when waits are equally long.
func (l *Limiter) limits() []Limit {
	return []Limit{&l.token, &l.breaker, &l.throttle, &l.quota, &l.connection}
}

// Reserve grants one call now, or returns what to wait for. It grants only if the quota for
// spare further calls remains free. A ticket counts as a call made at now until it is
// cancelled; each must be ended by Ended or Cancel.
//
// Of several waits it returns the longest. A wait without Until ends when another call does. A
// wait for the token ends early when the token changes, which only another Reserve detects:
// call it every few seconds.
func (l *Limiter) Reserve(now time.Time, spare int) (*Ticket, schema.Wait) {
	l.mu.Lock()
	defer l.mu.Unlock()
	limits := l.limits()
	var wait schema.Wait
	for _, limit := range limits {
		if w := limit.Wait(now, spare); wait.For == "" || w.Until.After(wait.Until) {
			wait = w
		}
	}
	if wait != (schema.Wait{}) {
		return nil, wait
	}
	t := &Ticket{limiter: l, breaker: l.breaker.state.String()}
	for _, limit := range limits {
		t.calls = append(t.calls, limit.Begin(now))
	}
	return t, schema.Wait{}
}

// RetryToken ends the wait for a refused token: the next call may try it now. It is for an
// operator who says that the token is valid again.
func (l *Limiter) RetryToken(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token.refused {
		l.token.next = now
	}
}

// Ticket allows one call, and must be ended. It is safe for concurrent use.
type Ticket struct {
	limiter *Limiter
	breaker string

	// The limiter's mutex guards all below.

	calls    []Call // as observed by each limit
	step     step
	answered bool
}

// step is the progress of a ticket's call.
type step int

const (
	reserved step = iota
	sent
	ended
)

// Breaker is the state that the breaker had when the call was granted: closed or half-open.
func (t *Ticket) Breaker() string { return t.breaker }

// Probe reports whether the call probes if the API has recovered. The smallest export that is
// due is the best one to use.
func (t *Ticket) Probe() bool { return t.breaker == "half-open" }

// Sent counts the call at now, when it is really made. It returns false for a ticket that was
// already used or cancelled.
func (t *Ticket) Sent(now time.Time) bool {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	if t.step != reserved {
		return false
	}
	t.step = sent
	for _, c := range t.calls {
		c.Sent(now)
	}
	return true
}

// Answered reports an answer with rows.
func (t *Ticket) Answered(now time.Time, rate RateLimit, date time.Time) {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	t.answer(now, Answer{RateLimit: rate, Date: date})
}

// answer uses only the first answer: a body that fails later repeats the same header, which is
// outdated by then.
func (t *Ticket) answer(now time.Time, a Answer) {
	if t.answered {
		return
	}
	t.answered = true
	for _, c := range t.calls {
		c.Answered(now, a)
	}
}

// Ended ends the call. Ending it again does nothing.
func (t *Ticket) Ended(now time.Time, o Outcome) {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	t.end(now, o)
}

func (t *Ticket) end(now time.Time, o Outcome) {
	if t.step == ended {
		return
	}
	t.step = ended
	if f := o.Failure; f != nil {
		t.answer(now, Answer{RateLimit: ParseRateLimit(f.Headers, f.Date), Date: f.Date, Failed: true})
	}
	for _, c := range t.calls {
		c.Ended(now, o)
	}
}

// Cancel returns an unused ticket. After Sent it does nothing.
func (t *Ticket) Cancel(now time.Time) {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	if t.step == reserved {
		t.end(now, Outcome{})
	}
}
