// Package limiter decides when the next call of the Export API may be made.
//
// Each reason to wait is a Limit of its own: the token is refused, the breaker is open, the API throttled us, the quota is spent, the
// connection to the API fails. A Limiter asks all of them and grants a call when none objects; each then follows that call until it ends.
// What a failure means to each of them is written in one place, schema.RuleOf and schema.Class.Effect.
package limiter

import (
	"sync"
	"time"

	"dfinery-kafka/schema"
)

// Limit is one reason why no call may be made now.
type Limit interface {
	// Wait says what the next call has to wait for; the zero Wait if nothing. spare further calls have to stay free.
	Wait(now time.Time, spare int) schema.Wait
	// Begin takes note of a call that was granted. It is called only after Wait returned the zero Wait.
	Begin(now time.Time) Call
}

// Call is one granted call as one Limit follows it. Calls that run at the same time end in any order.
type Call interface {
	// Sent says that the request is about to be sent. It is left out for a call that is cancelled.
	Sent(now time.Time)
	// Answered comes once, when the header of the answer arrived or the call failed without one.
	Answered(now time.Time, a Answer)
	// Ended comes once, last.
	Ended(now time.Time, o Outcome)
}

// Answer is what the header of an answer says.
type Answer struct {
	RateLimit
	Date   time.Time // by the API's clock; zero when unknown
	Failed bool      // no rows follow
}

// Outcome is how a call ended. A call without a failure that is not complete, such as a cancelled one, says nothing about the API.
type Outcome struct {
	Failure  *schema.Failure // nil: none
	Complete bool            // the body was read to its end
	Slice    bool            // of a day's events: its failures do not count for the breaker
}

// effect is what the outcome means for the next calls.
func (o Outcome) effect() schema.Effect {
	if o.Failure == nil {
		return schema.Effect{}
	}
	return o.Failure.Class.Effect()
}

// Limiter grants the calls of one service. Safe for concurrent use.
//
// It has no goroutine: it reads the time and the token only when it is asked.
type Limiter struct {
	mu sync.Mutex // guards all below

	token      tokenGate
	breaker    breaker
	throttle   throttle
	quota      quota
	connection connectionBackoff
}

// New is a limiter that goes on where the one went that saved state; the zero State is a fresh start.
func New(policy Policy, state State, now time.Time) *Limiter {
	p := policy.withDefaults()
	l := &Limiter{
		token:      tokenGate{source: p.Token, log: p.Log},
		breaker:    newBreaker(p),
		quota:      quota{limit: p.CallsPerHour, concurrent: p.ConcurrentCalls},
		connection: connectionBackoff{cooldown: cooldown{first: p.RetryBackoff, most: p.RetryMaxBackoff}, log: p.Log},
	}
	l.throttle = newThrottle(&l.quota, p.Log)
	l.restore(state, now)
	return l
}

// limits are in the order in which a tie between their waits is decided.
func (l *Limiter) limits() [5]Limit {
	return [...]Limit{&l.token, &l.breaker, &l.throttle, &l.quota, &l.connection}
}

// Reserve grants one call now, or says what to wait for. It grants only if spare further calls stay free in the quota's window.
// A ticket counts as a call made at now until it is cancelled; each must be ended by Ended or Cancel.
//
// Of several waits it returns the longest. A wait without Until ends when another call does. A wait for the token ends early when the token
// changes, which only a further Reserve finds out: ask every few seconds.
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
	for i, limit := range limits {
		t.calls[i] = limit.Begin(now)
	}
	return t, schema.Wait{}
}

// RetryToken grants the next call with a refused token now, not only when its wait is over: somebody says that it is valid again.
func (l *Limiter) RetryToken(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.token.refused {
		l.token.next = now
	}
}

// Ticket is the right to make one call, and the duty to end it. Safe for concurrent use.
type Ticket struct {
	limiter *Limiter
	breaker string

	// The limiter's mutex guards all below.

	calls    [5]Call
	step     step
	answered bool
}

// step is how far a ticket's call has come.
type step int

const (
	reserved step = iota
	sent
	ended
)

// Breaker is the state that the breaker had when the call was granted: closed or half-open.
func (t *Ticket) Breaker() string { return t.breaker }

// Probe says that the call probes whether the API has recovered. The smallest export that is due serves best.
func (t *Ticket) Probe() bool { return t.breaker == "half-open" }

// Sent counts the call at now, when it is really made. It returns false for a ticket that was used or cancelled before.
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

// Answered reports an answer that brings rows.
func (t *Ticket) Answered(now time.Time, rate RateLimit, date time.Time) {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	t.answer(now, Answer{RateLimit: rate, Date: date})
}

// answer takes only the first answer: a body that fails later brings the same header again, which is old by then.
func (t *Ticket) answer(now time.Time, a Answer) {
	if t.answered {
		return
	}
	t.answered = true
	for _, c := range t.calls {
		c.Answered(now, a)
	}
}

// Ended ends the call. Only the first one counts.
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

// Cancel gives a ticket back that was not used. After Sent it does nothing.
func (t *Ticket) Cancel(now time.Time) {
	t.limiter.mu.Lock()
	defer t.limiter.mu.Unlock()
	if t.step == reserved {
		t.end(now, Outcome{})
	}
}
