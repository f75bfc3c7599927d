package limiter

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"dfinery-kafka/schema"
)

// Transition is a change of the breaker's state: closed, open, half-open.
type Transition struct{ From, To string }

// The results of a call, other than success, as gobreaker sees them.
var (
	errCounted   = errors.New("a failure that counts")
	errUncounted = errors.New("neither a success nor a failure that counts")
)

// breaker stops all calls while the API's database fails. A number of consecutive counted
// failures opens it. Then single calls are probes: each failed probe doubles the time to the
// next, and a success closes the breaker.
//
// It is built on gobreaker, which has a fixed timeout and can't be restored open. So each open
// period is a new gobreaker, tripped at once, whose timeout is the remainder of the period. A
// result for an earlier one belongs to a call from before the last opening or closing, and is
// ignored. There is no rolling interval: a download longer than it would never count.
type breaker struct {
	failures            int
	tripOn              []schema.Code // the failures that count
	openFor, maxOpenFor time.Duration
	log                 *slog.Logger

	cb     *gobreaker.TwoStepCircuitBreaker[struct{}]
	state  gobreaker.State // as last seen
	period time.Duration   // of the current outage; 0 when closed
	due    time.Time       // of the next probe; zero when closed

	streak      []schema.Code // consecutive counted failures while closed, then those that opened it
	probes      int           // failed probes since it opened
	transitions map[Transition]int
}

// whenOpen is the advice about an open breaker.
const whenOpen = "nothing at first: a probe is made automatically. If it lasts, contact DFINERY with the times from the dead letters"

// Wait implements Limit.
func (b *breaker) Wait(time.Time, int) schema.Wait {
	b.observe()
	switch {
	case b.state == gobreaker.StateOpen:
		return schema.Wait{For: schema.WaitBreaker, Until: b.due}
	case b.state == gobreaker.StateHalfOpen && b.probing():
		return schema.Wait{For: schema.WaitBreaker}
	}
	return schema.Wait{}
}

func (b *breaker) probing() bool {
	c := b.cb.Counts()
	return c.Requests > c.TotalExclusions
}

// Begin implements Limit.
func (b *breaker) Begin(time.Time) Call {
	done, err := b.cb.Allow()
	if err != nil { // impossible after Wait under the same lock; the result of such a call would be ignored
		return &breakerCall{breaker: b, done: func(error) {}}
	}
	return &breakerCall{breaker: b, cb: b.cb, done: done}
}

type breakerCall struct {
	breaker *breaker
	cb      *gobreaker.TwoStepCircuitBreaker[struct{}]
	done    func(error)
}

func (c *breakerCall) Sent(time.Time)             {}
func (c *breakerCall) Answered(time.Time, Answer) {}

// Ended reports the result of the call: a success, a failure that counts, or neither.
//
// A probe with neither result leaves the breaker half-open, and the next call is the probe. It
// does not follow at once, as such a failure makes calls wait by other means (a reset, another
// token, a backoff, a halted stream).
func (c *breakerCall) Ended(_ time.Time, o Outcome) {
	b := c.breaker
	counts := o.Failure != nil && o.Failure.Class != schema.Cancelled && slices.Contains(b.tripOn, o.Failure.Code)
	result := errUncounted
	switch {
	case o.Complete:
		result = nil
	case counts && !o.Slice:
		result = errCounted
	}
	c.done(result)
	switch {
	case c.cb != b.cb: // the call was made before the last opening or closing
	case result == nil:
		b.succeed()
	case result == errCounted:
		b.fail(o.Failure.Code)
	case counts && b.state == gobreaker.StateHalfOpen:
		b.postpone()
	default:
		b.observe()
	}
}

// succeed handles a success that gobreaker has counted.
func (b *breaker) succeed() {
	if b.state == gobreaker.StateClosed {
		b.streak = nil
	}
	if b.observe() && b.state == gobreaker.StateClosed {
		b.close()
	}
}

// fail handles a failure that gobreaker has counted.
func (b *breaker) fail(code schema.Code) {
	switch b.state {
	case gobreaker.StateClosed:
		b.streak = append(b.streak, code)
		if b.observe() {
			b.open(min(b.openFor, b.maxOpenFor))
			b.log.Error("breaker opened", "cause", b.cause(), "next_try", b.due, "do", whenOpen)
		}
	case gobreaker.StateHalfOpen:
		// gobreaker's state is not used: the timeout of a restored period is what remained of
		// it, so it may already be half-open again.
		b.move(gobreaker.StateOpen)
		b.probes++
		b.open(min(2*b.period, b.maxOpenFor))
		b.log.Error("breaker stays open: the probe failed", "code", code, "cause", b.cause(), "probes", b.probes, "next_try", b.due,
			"do", whenOpen)
	}
}

// postpone opens a half-open breaker for as long as before: its probe was a slice that failed,
// and slices do not count.
func (b *breaker) postpone() {
	b.move(gobreaker.StateOpen)
	b.open(b.period)
	b.log.Error("breaker stays open: the probe, a slice of a day, failed", "cause", b.cause(), "next_try", b.due, "do", whenOpen)
}

// observe copies gobreaker's state, which also changes with time, and reports whether it changed.
func (b *breaker) observe() bool {
	state := b.cb.State()
	if state == b.state {
		return false
	}
	b.move(state)
	if state == gobreaker.StateHalfOpen {
		b.log.Info("breaker half-open: the next call is a probe", "cause", b.cause())
	}
	return true
}

func (b *breaker) move(state gobreaker.State) {
	b.transitions[Transition{b.state.String(), state.String()}]++
	b.state = state
}

func (b *breaker) open(period time.Duration) {
	b.period = period
	b.reopen(period)
}

// reopen makes the gobreaker of an open period with the given remainder.
func (b *breaker) reopen(remaining time.Duration) {
	// gobreaker half-opens only after its timeout, not at it, and takes 0 for a minute: so due
	// is a nanosecond later, and never nearer than two.
	remaining = max(remaining, 2)
	b.cb = b.fresh(1, remaining-1)
	if done, err := b.cb.Allow(); err == nil {
		done(errCounted)
	}
	b.state, b.due = gobreaker.StateOpen, time.Now().Add(remaining)
}

func (b *breaker) close() {
	b.log.Info("breaker closed: the probe succeeded", "cause", b.cause(), "failed_probes", b.probes)
	b.cb = b.fresh(b.failures, b.openFor)
	b.state, b.period, b.due, b.probes, b.streak = gobreaker.StateClosed, 0, time.Time{}, 0, nil
}

func (b *breaker) fresh(failures int, timeout time.Duration) *gobreaker.TwoStepCircuitBreaker[struct{}] {
	return gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Timeout:     timeout,
		ReadyToTrip: func(c gobreaker.Counts) bool { return int64(c.ConsecutiveFailures) >= int64(failures) },
		IsExcluded:  func(err error) bool { return errors.Is(err, errUncounted) },
	})
}

// cause lists the failures that opened the breaker, or are about to.
func (b *breaker) cause() string {
	if len(b.streak) == 0 {
		return ""
	}
	codes := slices.Compact(slices.Sorted(slices.Values(b.streak)))
	parts := make([]string, len(codes))
	for i, code := range codes {
		n := 0
		for _, c := range b.streak {
			if c == code {
				n++
			}
		}
		parts[i] = fmt.Sprintf("%d × %s", n, code)
	}
	return strings.Join(parts, ", ") + " in a row"
}

func newBreaker(p Policy) breaker {
	b := breaker{failures: p.Failures, tripOn: p.TripOn, openFor: p.OpenFor, maxOpenFor: p.MaxOpenFor, log: p.Log, transitions: map[Transition]int{}}
	b.cb = b.fresh(b.failures, b.openFor)
	return b
}

func (b *breaker) status() BreakerStatus {
	b.observe()
	st := BreakerStatus{State: b.state.String(), Failures: len(b.streak) + b.probes, Cause: b.cause(), Transitions: maps.Clone(b.transitions)}
	if b.state == gobreaker.StateOpen {
		st.Until = b.due
	}
	return st
}
