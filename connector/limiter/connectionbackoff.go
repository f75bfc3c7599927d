package limiter

import (
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// connectionBackoff makes the whole service back off while the connection to the API fails, so
// that thirty due days do not use up the hourly quota on one network problem. After each pause
// one call is made, until one succeeds. Calls already in flight continue.
type connectionBackoff struct {
	cooldown
	out  bool // a call of the current round is in flight
	code schema.Code
	log  *slog.Logger
}

// Wait implements Limit.
func (b *connectionBackoff) Wait(now time.Time, _ int) schema.Wait {
	switch {
	case b.until.After(now):
		return schema.Wait{For: schema.WaitBackoff, Until: b.until}
	case b.out:
		return schema.Wait{For: schema.WaitBackoff}
	}
	return schema.Wait{}
}

// Begin implements Limit.
func (b *connectionBackoff) Begin(time.Time) Call {
	b.out = b.failures > 0
	return &connectionCall{backoff: b, round: b.round}
}

type connectionCall struct {
	backoff *connectionBackoff
	round   int
}

func (c *connectionCall) Sent(time.Time)             {}
func (c *connectionCall) Answered(time.Time, Answer) {}

func (c *connectionCall) Ended(now time.Time, o Outcome) {
	b := c.backoff
	switch {
	case o.effect().Connection:
		b.fail(c.round, now, o.Failure)
	case o.Failure == nil && o.Complete || o.effect().Arrived:
		b.succeed(c.round)
	}
	if c.round == b.round {
		b.out = false
	}
}

func (b *connectionBackoff) fail(round int, now time.Time, f *schema.Failure) {
	d := max(b.pause(), min(f.RetryAfter, window))
	if !b.cooldown.fail(round, now, d) {
		return
	}
	b.out, b.code = false, f.Code
	b.log.Warn("connection to the API fails: one call at a time until one succeeds", "code", f.Code, "failures", b.failures, "next_try", b.until,
		"do", "nothing, unless it lasts: then see the error of the export that failed")
}

func (b *connectionBackoff) succeed(round int) {
	failures := b.failures
	if !b.cooldown.succeed(round) {
		return
	}
	b.out = false
	b.log.Info("connection to the API recovered", "failures", failures, "code", b.code)
}
