package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// startExports starts every export that may start now, to run until exporting ends, and returns when to look again.
func (t *tenure) startExports(ctx, exporting context.Context) (time.Time, error) {
	now := time.Now().UTC()
	t.tell(t.schedule.Advance(now))
	t.transfers.DropSets(t.today())
	t.waits = schema.Wait{}
	for {
		due, ok, next := t.schedule.Next(now)
		if !ok {
			if t.waits.For == "" {
				t.waits = t.sourceWaits(now) // what is due by then may wait for it, too
			}
			return next, nil
		}
		if !t.transfers.Free() {
			t.waits = schema.Wait{For: schema.WaitQuota}
			return endOf(now, t.service.Location), nil
		}
		permit, wait := t.source.Reserve(now, t.schedule.Spare(due))
		if permit == nil {
			t.waits = wait
			if next = endOf(now, t.service.Location); !wait.Until.IsZero() && wait.Until.Before(next) {
				next = wait.Until
			}
			return next, nil
		}
		if permit.Probe() {
			due = t.schedule.Smallest(due, now)
		}
		if err := t.start(ctx, exporting, due, permit, now); err != nil {
			return now, err
		}
	}
}

// endOf is when the day ends that it is at now: then there is another today.
func endOf(now time.Time, loc *time.Location) time.Time { return schema.DayOf(now, loc).End(loc) }

// start makes the call: first it is in the ledger, acknowledged, then it is made.
func (t *tenure) start(ctx, exporting context.Context, due schedule.Due, permit Permit, now time.Time) error {
	call := t.schedule.Begin(due, now)
	name := ledger.DayName{Stream: due.Stream, Day: due.Day}
	if err := t.enterCall(ctx, name); err != nil {
		permit.Cancel()
		return err
	}
	t.service.step("called")
	t.transfers.Start(exporting, transfer.Job{
		Call: call, Record: t.schedule.Day(name), Permit: permit, Started: now, EventNames: t.schedule.EventNames(due.Stream),
		CutLetters: t.schedule.CutLetters(name),
	})
	return nil
}

// enterCall writes the call into the ledger, with what the source knows of its quota.
func (t *tenure) enterCall(ctx context.Context, name ledger.DayName) error {
	t.refreshServiceRecord()
	if err := t.writer.Service(&t.serviceRecord); err != nil {
		return err
	}
	record := t.schedule.Day(name)
	if err := t.writer.Day(name, &record); err != nil {
		return err
	}
	if err := t.session.Flush(ctx, t.writer.State); err != nil {
		return fmt.Errorf("enter export %d of %s %s into the ledger: %w", record.Exports, name.Stream, name.Day, err)
	}
	return nil
}

// refreshServiceRecord brings the service's record up to date.
func (t *tenure) refreshServiceRecord() {
	t.serviceRecord.Source, t.serviceRecord.LineEnds = t.source.State(), t.source.LineEnds()
	t.schedule.Enter(&t.serviceRecord, time.Now())
}
