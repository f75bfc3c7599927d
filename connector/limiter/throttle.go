package limiter

import (
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// throttle holds back all calls after the API refused one because there were too many: until
// the reset named by its headers, else for Retry-After, else until our oldest call leaves the
// window. If none of them explains the refusal, or the explanation proved wrong, the pause
// grows from a minute to the length of the window.
type throttle struct {
	cooldown
	quota *quota // read only: whether our own count explains a refusal
	log   *slog.Logger
}

func newThrottle(q *quota, log *slog.Logger) throttle {
	return throttle{cooldown: cooldown{first: time.Minute, longest: window}, quota: q, log: log}
}

// Wait implements Limit.
func (t *throttle) Wait(now time.Time, _ int) schema.Wait {
	if t.until.After(now) {
		return schema.Wait{For: schema.WaitQuota, Until: t.until}
	}
	return schema.Wait{}
}

// Begin implements Limit.
func (t *throttle) Begin(time.Time) Call { return &throttleCall{throttle: t, round: t.round} }

type throttleCall struct {
	throttle *throttle
	round    int
	reset    time.Duration // until the reset named by the refusal; 0 without one
}

func (c *throttleCall) Sent(time.Time) {}

func (c *throttleCall) Answered(now time.Time, a Answer) {
	switch {
	case !a.Failed:
		c.throttle.succeed(c.round)
	case a.Known && a.Remaining > 0:
		// The quota is not used up: the API refused too many calls at once, which the reset
		// does not end.
	default:
		c.reset = resetIn(now, a.Reset, a.Date)
	}
}

func (c *throttleCall) Ended(now time.Time, o Outcome) {
	if o.effect().Throttle {
		c.throttle.fail(c.round, now, c.reset, o.Failure.RetryAfter)
	}
}

func (t *throttle) fail(round int, now time.Time, reset, retryAfter time.Duration) {
	d, why := reset, "the reset named by the API"
	if d == 0 && retryAfter > 0 {
		d, why = min(retryAfter, window), "Retry-After"
	}
	if d == 0 && t.quota.free(now) <= 0 {
		d, why = t.quota.next(now, 1).Sub(now), "the oldest call leaves the window"
	}
	if grown := t.pause(); d == 0 || t.failures > 0 && grown > d {
		d, why = grown, "a growing pause"
	}
	if t.cooldown.fail(round, now, d) {
		t.log.Warn("throttled by the API", "next_try", t.until, "by", why,
			"do", "nothing, unless it lasts: then another client uses the quota, and DFINERY_CALLS_PER_HOUR must be lowered")
	}
}
