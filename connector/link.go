package connector

import (
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// link backs the whole service off while the way to the API is troubled: thirty due days must not burn the hour's calls on one broken link.
// After each pause one call is made, until one succeeds. Calls that were under way when the trouble began run on beside it.
type link struct {
	setback
	out   bool // a call of the present round is under way
	cause schema.Code
	log   *slog.Logger
}

func (l *link) wait(now time.Time) schema.Wait {
	switch {
	case l.until.After(now):
		return schema.Wait{For: schema.WaitBackoff, Until: l.until}
	case l.out:
		return schema.Wait{For: schema.WaitBackoff}
	}
	return schema.Wait{}
}

// begin gives the round of a call that starts.
func (l *link) begin() int {
	l.out = l.failures > 0
	return l.round
}

// release ends a call without a word about the link.
func (l *link) release(round int) {
	if round == l.round {
		l.out = false
	}
}

func (l *link) fail(round int, now time.Time, f *schema.Failure) {
	d := max(l.pause(), min(f.RetryAfter, window))
	if !l.setback.fail(round, now, d) {
		return
	}
	l.out, l.cause = false, f.Code
	l.log.Warn("link troubled: one call at a time until one succeeds", "code", f.Code, "failures", l.failures, "next_try", l.until,
		"do", "nothing, unless it stays: then see the error of the export that failed")
}

func (l *link) succeed(round int) {
	failures := l.failures
	if !l.setback.succeed(round) {
		return
	}
	l.out = false
	l.log.Info("link recovered", "failures", failures, "code", l.cause)
}
