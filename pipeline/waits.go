package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// stopped says why a stream makes no calls at all now.
func (s *stream) stopped(now time.Time) schema.Wait {
	switch {
	case s.kept.Paused:
		return schema.Wait{For: schema.WaitPaused}
	case s.blocked != "":
		return schema.Wait{For: schema.WaitHalted}
	case s.kept.Halted != nil && s.kept.Halted.Until.After(now):
		return schema.Wait{For: schema.WaitHalted, Until: s.kept.Halted.Until}
	}
	return schema.Wait{}
}

// tries tells whether a halted stream is being tried again, which takes one call.
func (s *stream) tries() bool {
	if s.kept.Halted == nil {
		return false
	}
	for _, d := range s.days {
		if d.busy() {
			return true
		}
	}
	return false
}

// nextOf is when a day is exported next, if that is known: when it is due itself, or later if its stream or the whole service waits.
func (t *tenure) nextOf(d *day, now time.Time) (time.Time, bool) {
	st := t.stream(d.name.Stream)
	due, ok := st.next(d.name.Day, schema.DayOf(now, t.service.Location), now, t.service.Location)
	if !ok {
		return time.Time{}, false
	}
	stopped, all := st.stopped(now), t.sourceWaits(now)
	if stopped.For != "" && stopped.Until.IsZero() || !due.at.After(now) && all.For != "" && all.Until.IsZero() {
		return time.Time{}, false
	}
	for _, until := range []time.Time{stopped.Until, all.Until} {
		if until.After(due.at) {
			due.at = until
		}
	}
	return due.at, true
}

// sourceWaits is what keeps the source from a call, also when none is due: schedule asks only then.
func (t *tenure) sourceWaits(now time.Time) schema.Wait {
	if t.waits.For != "" {
		return t.waits
	}
	permit, wait := t.source.Reserve(now, 0)
	if permit != nil {
		permit.Cancel()
	}
	return wait
}

// recordWait enters into the ledger what all streams wait for, so that the status of any machine can say it. A wait without an end is one
// for a call under way.
func (t *tenure) recordWait(ctx context.Context) error {
	var wait *ledger.Wait
	if t.waits.For != "" && !t.waits.Until.IsZero() {
		wait = &ledger.Wait{For: t.waits.For, Until: t.waits.Until.UTC()}
	}
	if sameWait(t.serviceRecord.Wait, wait) {
		return nil
	}
	t.serviceRecord.Wait = wait
	t.refreshServiceRecord()
	if err := t.writer.Service(&t.serviceRecord); err != nil {
		return err
	}
	return t.session.Flush(ctx, t.writer.State) // with the next heartbeat it would be late by half a minute
}

// sameWait takes waits for the same whose ends are near each other: some move with each look.
func sameWait(was, is *ledger.Wait) bool {
	if was == nil || is == nil {
		return was == is
	}
	moved := is.Until.Sub(was.Until).Abs()
	return was.For == is.For && (moved == 0 || moved < time.Minute && was.Until.After(time.Now()))
}
