package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

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
	if sameWait(t.serviceRecord.Wait, wait) && !t.schedule.BlocksChanged(&t.serviceRecord) {
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
