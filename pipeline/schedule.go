package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// startExports starts every export that may start now, to run until exporting ends, and returns when to look again.
func (t *tenure) startExports(ctx, exporting context.Context) (time.Time, error) {
	now := time.Now().UTC()
	t.tell(t.schedule.Advance(now))
	t.dropSets()
	t.waits = schema.Wait{}
	for {
		due, ok, next := t.schedule.Next(now)
		if !ok {
			if t.waits.For == "" {
				t.waits = t.sourceWaits(now) // what is due by then may wait for it, too
			}
			return next, nil
		}
		if t.inFlight >= t.service.ConcurrentCalls {
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

// dropSets lets go of the rows of days that rest: those of today are used again soon.
func (t *tenure) dropSets() {
	today := t.today()
	for d := range t.days {
		if d.name.Day != today && !d.busy() && !d.rows.Dirty() {
			d.rows.Set = nil
		}
	}
}

// start makes the call: first it is in the ledger, acknowledged, then it is made.
func (t *tenure) start(ctx, exporting context.Context, due schedule.Due, permit Permit, now time.Time) error {
	call := t.schedule.Begin(due, now)
	st := t.stream(due.Stream)
	day := st.day(due.Day)
	if err := t.enterCall(ctx, day); err != nil {
		permit.Cancel()
		return err
	}
	t.service.step("called")
	t.launch(exporting, &export{
		tenure: t, stream: st.Stream, senders: appenders(st.senders), day: day, record: t.schedule.Day(day.name), permit: permit, started: now,
		call: call, names: newNames(st.Kind, t.schedule.EventNames(st.Name)), quality: badRows{share: st.MaxBad, limited: st.MaxBad < 1},
		cutLetters: t.schedule.CutLetters(day.name),
	})
	return nil
}

// launch runs the export beside the loop, which gets it back on ended.
func (t *tenure) launch(ctx context.Context, e *export) {
	e.dead = t.dead[cluster.PartitionOf([]byte(e.call.DayKey()), len(t.dead))]
	e.value.encoder = t.newEncoder(&e.stream)
	e.headers = newRecordHeaders(&e.stream.Headers, &e.call)
	e.live.Store(&tally{})
	e.day.export = e
	t.inFlight++
	t.running.Go(func() { e.run(ctx) })
}

// takeBack ends what launch began: the next checkpoint enters the export into its day's record.
func (t *tenure) takeBack(e *export) {
	e.day.export, e.day.ended = nil, e
	t.inFlight--
}

// enterCall writes the call into the ledger, with what the source knows of its quota.
func (t *tenure) enterCall(ctx context.Context, d *day) error {
	t.refreshServiceRecord()
	if err := t.writer.Service(&t.serviceRecord); err != nil {
		return err
	}
	record := t.schedule.Day(d.name)
	if err := t.writer.Day(d.name, &record); err != nil {
		return err
	}
	if err := t.session.Flush(ctx, t.writer.State); err != nil {
		return fmt.Errorf("enter export %d of %s %s into the ledger: %w", record.Exports, d.name.Stream, d.name.Day, err)
	}
	return nil
}

// refreshServiceRecord brings the service's record up to date.
func (t *tenure) refreshServiceRecord() {
	t.serviceRecord.Source, t.serviceRecord.LineEnds = t.source.State(), t.source.LineEnds()
	t.schedule.Enter(&t.serviceRecord, time.Now())
}

// newEncoder makes the encoder of one export.
func (t *tenure) newEncoder(s *Stream) encoding.Encoder {
	if s.Values == nil {
		return s.NewEncoder()
	}
	return &typedEncoder{values: s.Values, topic: s.Topic, evolve: t.evolver(s.Name)}
}
