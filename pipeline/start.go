package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// startExports starts every export that may start now, to run until exporting ends, and returns when to look again.
func (o *owner) startExports(ctx, exporting context.Context) (time.Time, error) {
	now := time.Now().UTC()
	o.tell(o.schedule.Advance(now))
	o.transfers.DropSets(o.today())
	o.waits = schema.Wait{}
	for {
		due, ok, next := o.schedule.Next(now)
		if !ok {
			if o.waits.For == "" {
				o.waits = o.sourceWaits(now) // what is due by then may wait for it, too
			}
			return next, nil
		}
		if !o.transfers.Free() {
			o.waits = schema.Wait{For: schema.WaitQuota}
			return endOf(now, o.config.Location), nil
		}
		permit, wait := o.source.Reserve(now, o.schedule.Spare(due))
		if permit == nil {
			o.waits = wait
			if next = endOf(now, o.config.Location); !wait.Until.IsZero() && wait.Until.Before(next) {
				next = wait.Until
			}
			return next, nil
		}
		if permit.Probe() {
			due = o.schedule.Smallest(due, now)
		}
		if err := o.start(ctx, exporting, due, permit, now); err != nil {
			return now, err
		}
	}
}

// endOf is when the day ends that it is at now: then there is another today.
func endOf(now time.Time, loc *time.Location) time.Time { return schema.DayOf(now, loc).End(loc) }

// start makes the call: first it is in the ledger, acknowledged, then it is made.
func (o *owner) start(ctx, exporting context.Context, due schedule.Due, permit Permit, now time.Time) error {
	call := o.schedule.Begin(due, now)
	name := ledger.DayName{Stream: due.Stream, Day: due.Day}
	if err := o.record.recordCall(ctx, name); err != nil {
		permit.Cancel()
		return err
	}
	o.config.step("called")
	o.transfers.Start(exporting, transfer.Job{
		Call: call, Record: o.schedule.Day(name), Permit: permit, Started: now, EventNames: o.schedule.EventNames(due.Stream),
		Properties: o.schedule.UnmetProperties(due.Stream), CutLetters: o.schedule.CutLetters(name),
	})
	return nil
}

// sourceWaits is what keeps the source from a call, also when none is due.
func (o *owner) sourceWaits(now time.Time) schema.Wait {
	permit, wait := o.source.Reserve(now, 0)
	if permit != nil {
		permit.Cancel()
	}
	return wait
}
