package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// starter starts due exports, as far as the source permits.
type starter struct {
	location  *time.Location
	source    Source // nil until the ledger was read
	schedule  *schedule.State
	record    *serviceRecord
	transfers *transfer.Runner
	announcer *announcer
	step      func(name string)

	waits    schema.Wait         // why nothing more could be started at the last attempt
	accepted map[schema.Cut]bool // kinds of cut that the source accepts as complete
}

// startAll starts every export that may start now, to run until exporting ends, and
// returns when to try again.
func (x *starter) startAll(ctx, exporting context.Context) (time.Time, error) {
	now := time.Now().UTC()
	x.announcer.announce(x.schedule.Advance(now))
	x.transfers.DropSets(schema.DayOf(now, x.location))
	x.waits = schema.Wait{}
	for {
		due, ok, next := x.schedule.Next(now)
		if !ok {
			if x.waits.For == "" {
				x.waits = x.sourceWaits(now) // exports that become due until then may have to wait for it, too
			}
			return next, nil
		}
		if !x.transfers.Free() {
			x.waits = schema.Wait{For: schema.WaitQuota}
			return endOf(now, x.location), nil
		}
		permit, wait := x.source.Reserve(now, x.schedule.Spare(due))
		if permit == nil {
			x.waits = wait
			if next = endOf(now, x.location); !wait.Until.IsZero() && wait.Until.Before(next) {
				next = wait.Until
			}
			return next, nil
		}
		if permit.Probe() {
			due = x.schedule.Smallest(due, now)
		}
		if err := x.start(ctx, exporting, due, permit, now); err != nil {
			return now, err
		}
	}
}

// endOf is the end of the current day, after which today changes.
func endOf(now time.Time, loc *time.Location) time.Time { return schema.DayOf(now, loc).End(loc) }

// start makes the call after it has been written to the ledger and acknowledged.
func (x *starter) start(ctx, exporting context.Context, due schedule.Due, permit Permit, now time.Time) error {
	call := x.schedule.Begin(due, now)
	name := ledger.DayName{Stream: due.Stream, Day: due.Day}
	if err := x.record.recordCall(ctx, name); err != nil {
		permit.Cancel()
		return err
	}
	x.step("called")
	x.transfers.Start(exporting, transfer.Job{
		Call: call, Record: x.schedule.Record(name), Permit: permit, Started: now, EventNames: x.schedule.Stream(due.Stream).EventNames(),
		Properties: x.schedule.Stream(due.Stream).UnseenProperties(), CutLetters: x.schedule.Day(name).CutLetters(),
	})
	return nil
}

// sourceWaits is what the source's next call must wait for, also if none is due.
func (x *starter) sourceWaits(now time.Time) schema.Wait {
	permit, wait := x.source.Reserve(now, 0)
	if permit != nil {
		permit.Cancel()
	}
	return wait
}

// acceptCuts makes days due again whose kind of cut the source has come to accept,
// because of the configuration or what it learned.
func (x *starter) acceptCuts(now time.Time) {
	for _, cut := range []schema.Cut{schema.NoNewline, schema.UnclosedCell} {
		accepted := x.source.Accepts(cut)
		if accepted && !x.accepted[cut] {
			x.schedule.Accept(cut, now)
		}
		x.accepted[cut] = accepted
	}
}
