package connector

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/sony/gobreaker/v2"

	"dfinery-kafka/schema"
)

// Transition is a change of the breaker's state: closed, open, half-open.
type Transition struct{ From, To string }

// The breaker's two answers beside success.
var (
	errCounted   = errors.New("a failure that counts")
	errUncounted = errors.New("neither a success nor a failure that counts")
)

// breaker stops all calls while the API's database is unwell. A number of counted failures in a row open it; then one call is a probe:
// each failed probe doubles the time to the next, a success closes the breaker.
//
// gobreaker decides. It has a fixed timeout and can't be restored open, so each open period is a breaker of its own, tripped at once, whose
// timeout is what remains of the period. A result that arrives for an earlier one is of a call from before the last opening or closing:
// it says nothing about the present and is dropped. There is no rolling interval: a download longer than it would never count.
type breaker struct {
	failures            int
	openFor, maxOpenFor time.Duration
	log                 *slog.Logger

	cb     *gobreaker.TwoStepCircuitBreaker[struct{}]
	state  gobreaker.State // as last seen
	period time.Duration   // of the present outage; 0 when closed
	due    time.Time       // of the next probe; zero when closed

	streak      []schema.Code // counted failures in a row while closed, then those that opened it
	probes      int           // failed since it opened
	transitions map[Transition]int
}

// askThem is what there is to do about an open breaker.
const askThem = "nothing at first: a probe is made by itself. If it lasts, ask DFINERY, with the times in the dead letters"

// ticket is the right to one call and the duty to report its result.
type ticket struct {
	cb    *gobreaker.TwoStepCircuitBreaker[struct{}]
	done  func(error)
	state string // when it was given
}

// wait says how long no call is allowed; the zero Wait means that take succeeds.
func (b *breaker) wait() schema.Wait {
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

func (b *breaker) take() (ticket, error) {
	done, err := b.cb.Allow()
	if err != nil {
		return ticket{}, err
	}
	return ticket{cb: b.cb, done: done, state: b.state.String()}, nil
}

// report ends the ticket's call: nil is a success; code names a failure.
//
// A probe with neither result leaves the breaker half-open, and the next call is the probe: what such a failure asks for (a reset, another
// token, the link's backoff, a halted stream) already keeps it from being repeated at once.
func (b *breaker) report(t ticket, result error, code schema.Code) {
	t.done(result)
	if t.cb != b.cb {
		return
	}
	wasClosed := b.state == gobreaker.StateClosed
	switch {
	case wasClosed && result == nil:
		b.streak = nil
	case wasClosed && errors.Is(result, errCounted):
		b.streak = append(b.streak, code)
	}
	switch {
	case b.state == gobreaker.StateHalfOpen && errors.Is(result, errCounted):
		// Not asked of gobreaker: the timeout of a restored period is what remained of it, so it may be half-open again by now.
		b.move(gobreaker.StateOpen)
	case !b.observe():
		return
	}
	switch {
	case b.state == gobreaker.StateClosed:
		b.close()
	case wasClosed:
		b.open(min(b.openFor, b.maxOpenFor))
		b.log.Error("breaker opened", "cause", b.cause(), "next_try", b.due, "do", askThem)
	default:
		b.probes++
		b.open(min(2*b.period, b.maxOpenFor))
		b.log.Error("breaker stays open: the probe failed", "code", code, "cause", b.cause(), "probes", b.probes, "next_try", b.due,
			"do", askThem)
	}
}

// postpone opens a half-open breaker for as long as before: its probe, a slice, met the outage, but slices never count.
func (b *breaker) postpone(t ticket) {
	t.done(errUncounted)
	if t.cb != b.cb || b.state != gobreaker.StateHalfOpen {
		return
	}
	b.move(gobreaker.StateOpen)
	b.open(b.period)
	b.log.Error("breaker stays open: a slice as the probe failed", "cause", b.cause(), "next_try", b.due, "do", askThem)
}

// observe follows gobreaker's state, which time changes too, and says whether it moved.
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

// reopen makes the breaker of an open period of which remaining is left.
func (b *breaker) reopen(remaining time.Duration) {
	// gobreaker half-opens only after its timeout, not at it, and takes 0 for a minute: so due is a nanosecond later, and never nearer than two.
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

// cause says what opened the breaker, or is about to.
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
	b := breaker{failures: p.Failures, openFor: p.OpenFor, maxOpenFor: p.MaxOpenFor, log: p.Log, transitions: map[Transition]int{}}
	b.cb = b.fresh(b.failures, b.openFor)
	return b
}
