package connector

import (
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// throttle holds all calls back after the API said that there were too many: until the reset that its headers name, else as long as
// Retry-After says, else until our oldest call leaves the window. If none of them explains the refusal, or the explanation proved wrong,
// the pause grows from a minute to the length of the window.
type throttle struct {
	setback
	log *slog.Logger
}

func newThrottle(log *slog.Logger) throttle {
	return throttle{setback: setback{first: time.Minute, most: window}, log: log}
}

func (t *throttle) wait(now time.Time) schema.Wait {
	if t.until.After(now) {
		return schema.Wait{For: schema.WaitQuota, Until: t.until}
	}
	return schema.Wait{}
}

// fail takes the time until the reset, 0 when the answer named none, and the quota as the answer corrected it.
func (t *throttle) fail(round int, now time.Time, reset, retryAfter time.Duration, q *quota) {
	d, why := reset, "the reset named by the API"
	if d == 0 && retryAfter > 0 {
		d, why = min(retryAfter, window), "Retry-After"
	}
	if d == 0 && q.free(now) <= 0 {
		d, why = q.next(now, 1).Sub(now), "the oldest call leaves the window"
	}
	if grown := t.pause(); d == 0 || t.failures > 0 && grown > d {
		d, why = grown, "a pause that grows"
	}
	if t.setback.fail(round, now, d) {
		t.log.Warn("too many calls for the API", "next_try", t.until, "by", why,
			"do", "nothing, unless it stays: then somebody else uses the quota, and DFINERY_CALLS_PER_HOUR has to be lower")
	}
}
