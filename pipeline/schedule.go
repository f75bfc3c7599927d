package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// schedule starts every export that may start now, to run until exporting ends, and returns when to look again.
func (t *tenure) schedule(ctx, exporting context.Context) (time.Time, error) {
	now := time.Now().UTC()
	t.age(now)
	t.waits = schema.Wait{}
	next := schema.DayOf(now, t.service.Location).End(t.service.Location) // then there is another today
	for _, d := range plan(t.streams, now, t.service.Location) {
		if d.stream.stopped(now).For != "" || d.stream.tries() || t.service.Once && !t.onceWants(d, now) {
			continue
		}
		if d.at.After(now) {
			if d.at.Before(next) {
				next = d.at
			}
			break // the list goes on in the order of time
		}
		if t.inFlight >= t.service.ConcurrentCalls {
			t.waits = schema.Wait{For: schema.WaitQuota}
			break
		}
		permit, wait := t.source.Reserve(now, t.spare(d))
		if permit == nil {
			t.waits = wait
			if !wait.Until.IsZero() && wait.Until.Before(next) {
				next = wait.Until
			}
			break
		}
		if permit.Probe() {
			d = t.smallest(d, now)
		}
		if err := t.start(ctx, exporting, d, permit, now); err != nil {
			return next, err
		}
	}
	if t.waits.For == "" {
		t.waits = t.sourceWaits(now) // what is due by then may wait for it, too
	}
	return next, nil
}

// smallest is the due export with the fewest rows at its last success, first if none is known.
func (t *tenure) smallest(first due, now time.Time) due {
	best, rows := first, -1
	for _, d := range plan(t.streams, now, t.service.Location) {
		if d.at.After(now) || d.stream.stopped(now).For != "" || t.service.Once && !t.onceWants(d, now) {
			continue
		}
		if day := d.stream.days[d.day]; day != nil && day.record.LastSuccess != nil && (rows < 0 || day.record.Rows < rows) {
			best, rows = d, day.record.Rows
		}
	}
	return best
}

// spare is how many calls must be left in the quota after this one: a backfill leaves room for an hour of today's polls.
func (t *tenure) spare(d due) int {
	if d.urgency != backfill {
		return 0
	}
	polls := 0
	for _, st := range t.streams {
		polls += st.pollsPerHour()
	}
	return min(polls, t.service.CallsPerHour/2)
}

// start makes the call: first it is in the ledger, acknowledged, then it is made.
func (t *tenure) start(ctx, exporting context.Context, d due, permit Permit, now time.Time) error {
	e := t.begin(d, now)
	if err := t.enterCall(ctx, e.day); err != nil {
		permit.Cancel()
		return err
	}
	t.service.step("called")
	e.permit = permit
	t.launch(exporting, e)
	return nil
}

// begin enters a call that is about to be made into its day's record.
func (t *tenure) begin(d due, now time.Time) *export {
	day := d.stream.day(d.day)
	day.record.Exports++
	day.record.LastExport = &now
	if day.record.FirstExport == nil {
		day.record.FirstExport = &now
	}
	d.stream.lastCall = now
	e := &export{
		tenure: t, stream: d.stream.Stream, senders: appenders(d.stream.senders), day: day, started: now,
		call: schema.Export{
			Service: t.service.ID, Stream: d.stream.Name, Kind: d.stream.Kind, Filter: d.stream.Filter, Key: d.stream.Key,
			Day: d.day, N: day.record.Exports, Attempt: day.attempt(), Probe: d.probe,
		},
		names: newNames(d.stream),
	}
	if !d.probe {
		e.call.Filter, e.call.Slice = narrow(d.stream, day, now)
	}
	e.record = day.record
	return e
}

// launch runs the export beside the loop, which gets it back on ended.
func (t *tenure) launch(ctx context.Context, e *export) {
	e.dead = t.dead[cluster.PartitionOf([]byte(e.call.DayKey()), len(t.dead))]
	e.value.encoder = e.stream.NewEncoder()
	e.headers = [...]recordbatch.Header{{Key: []byte("id")}, {Key: []byte("export"), Value: []byte(e.call.ID())}}
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
	if err := t.writer.Day(d.name, &d.record); err != nil {
		return err
	}
	if err := t.session.Flush(ctx, t.writer.State); err != nil {
		return fmt.Errorf("enter export %d of %s %s into the ledger: %w", d.record.Exports, d.name.Stream, d.name.Day, err)
	}
	return nil
}

// refreshServiceRecord brings the service's record up to date.
func (t *tenure) refreshServiceRecord() {
	t.serviceRecord.Source = t.source.State()
	if t.serviceRecord.Streams == nil {
		t.serviceRecord.Streams = map[string]ledger.Stream{}
	}
	for _, st := range t.streams {
		st.kept.Blocked = st.blocked
		t.serviceRecord.Streams[st.Name] = st.kept
		if st.dueFrom == 0 {
			continue
		}
		if t.serviceRecord.DueFrom == nil {
			t.serviceRecord.DueFrom = map[string]ledger.DueFrom{}
		}
		from := t.serviceRecord.DueFrom[st.Name]
		from.Day, from.Start = st.dueFrom, st.startName()
		t.serviceRecord.DueFrom[st.Name] = from
	}
}
