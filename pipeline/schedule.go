package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/produce"
	"dfinery-kafka/schema"
)

// schedule starts every export that may start now, and returns when to look again.
func (t *tenure) schedule(ctx, exports context.Context) (time.Time, error) {
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
		if t.exports >= t.service.ConcurrentCalls {
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
		if err := t.start(ctx, exports, d, permit, now); err != nil {
			return next, err
		}
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

// start makes the call: first it is in the ledger, acknowledged, then it is made.
func (t *tenure) start(ctx, exports context.Context, d due, permit Permit, now time.Time) error {
	day := d.stream.day(d.day)
	day.record.Exports++
	day.record.LastExport = &now
	if day.record.FirstExport == nil {
		day.record.FirstExport = &now
	}
	d.stream.lastCall = now
	if err := t.enterCall(ctx, day); err != nil {
		permit.Cancel()
		return err
	}
	t.service.step("called")
	e := &export{
		tenure: t, stream: d.stream.Stream, senders: d.stream.senders, day: day, record: day.record, permit: permit, started: now, set: day.set,
		call: schema.Export{
			Service: t.service.ID, Stream: d.stream.Name, Kind: d.stream.Kind, Filter: d.stream.Filter, Key: d.stream.Key,
			Day: d.day, N: day.record.Exports, Attempt: day.attempt(), Probe: d.probe,
		},
		names: newNames(d.stream),
	}
	if !d.probe {
		e.call.Filter, e.call.Slice = narrow(d.stream, day, now)
	}
	e.prepare(d.stream.Empty)
	day.export = e
	t.exports++
	t.running.Go(func() { e.run(exports) })
	return nil
}

// prepare sets up what is the same for all rows.
func (e *export) prepare(empty schema.Empty) {
	e.value.empty = empty
	e.put = produce.Record{Value: &e.value, Headers: []produce.Header{{Key: "id"}, {Key: "export", Value: []byte(e.call.ID())}}}
	e.live.Store(&tally{})
}

// attempt counts the calls since the last success, this one included.
func (d *day) attempt() int {
	if d.record.Error == nil {
		return 1
	}
	return d.record.Error.Attempts + 1
}

// enterCall writes the call into the ledger, with what the source knows of its quota.
func (t *tenure) enterCall(ctx context.Context, d *day) error {
	t.keepSource()
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

// keepSource brings the service's record up to date.
func (t *tenure) keepSource() {
	t.serviceRecord.Source = t.source.State()
	if t.serviceRecord.Streams == nil {
		t.serviceRecord.Streams = map[string]ledger.Stream{}
	}
	for _, st := range t.streams {
		t.serviceRecord.Streams[st.Name] = st.kept
	}
}
