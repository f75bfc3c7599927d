package pipeline

import (
	"context"
	"slices"
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

// starts is what the export waits for longest, and so when it can start: its own time, its stream, or what all streams wait for. Without
// an Until the time is not known.
func (d *due) starts(all schema.Wait, now time.Time) schema.Wait {
	wait, stopped := schema.Wait{For: d.waits, Until: d.at}, d.stream.stopped(now)
	switch {
	case stopped.For != "" && stopped.Until.IsZero():
		return stopped
	case all.For != "" && all.Until.IsZero() && !d.at.After(now) && stopped.For == "":
		return all
	}
	for _, other := range []schema.Wait{stopped, all} {
		if other.Until.After(wait.Until) {
			wait = other
		}
	}
	return wait
}

// nextStart is when the day's next export can start; zero when that is not known, or when there is to be none.
func (t *tenure) nextStart(d *day) time.Time {
	now := time.Now()
	next, again := t.stream(d.name.Stream).next(d.name.Day, schema.DayOf(now, t.service.Location), now, t.service.Location)
	if !again {
		return time.Time{}
	}
	return next.starts(t.waits, now).Until
}

// sourceWaits is what keeps the source from a call, also when none is due.
func (t *tenure) sourceWaits(now time.Time) schema.Wait {
	permit, wait := t.source.Reserve(now, 0)
	if permit != nil {
		permit.Cancel()
	}
	return wait
}

// recordWait enters into the ledger what all streams wait for, and which ones wait for their topic, so that the status of any machine can say
// it. A wait without an end is one for a call under way.
func (t *tenure) recordWait(ctx context.Context) error {
	var wait *ledger.Wait
	if t.waits.For != "" && !t.waits.Until.IsZero() {
		wait = &ledger.Wait{For: t.waits.For, Until: t.waits.Until.UTC()}
	}
	blocked := func(st *stream) bool { return t.serviceRecord.Streams[st.Name].Blocked != st.blocked }
	if sameWait(t.serviceRecord.Wait, wait) && !slices.ContainsFunc(t.streams, blocked) {
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
