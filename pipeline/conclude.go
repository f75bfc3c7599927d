package pipeline

import (
	"errors"
	"math/rand/v2"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// haltFor is how long a stream stands still whose request or header the API can't have right.
const haltFor = time.Hour

// conclude enters the end of an export into its day's record.
func (t *tenure) conclude(d *day, e *export) {
	st := t.stream(d.name.Stream)
	var failure *schema.Failure
	switch {
	case e.replay != nil:
		e.replay.take(e)
	case e.err == nil && e.call.Probe:
		t.judgeProbe(st, d, e)
	case e.err == nil && e.call.Slice:
		t.sliceDone(st, d, e)
	case e.err == nil:
		t.succeed(st, d, e)
	case !errors.As(e.err, &failure) || failure.Class == schema.Cancelled:
	case e.call.Probe:
		t.probeFailed(st, failure)
	default:
		t.fail(st, d, e, failure)
	}
	// Any other error is Kafka's, and ends the session: the day stays due as it was.
}

func (t *tenure) succeed(st *stream, d *day, e *export) {
	r := &d.record
	r.Rows = e.sum.Rows()
	// What was published before and was met again is no more than what was published before.
	r.Missing = max(0, e.record.Published-e.sum.Duplicates)
	if len(r.MissingEvents) > 0 { // asked for without them
		r.Rows, r.Missing = r.Published, 0
	}
	d.took = e.took
	started := e.started
	r.LastSuccess = &started
	t.exported(st, d, e, started)
	if r.Missing > 0 {
		t.log.Warn("rows that were published are missing from the latest export of their day", "stream", st.Name, "day", d.name.Day, "missing", r.Missing,
			"do", "nothing here: what was published stays. If it matters, ask DFINERY why the rows are gone")
	}
}

// exported notes that all of the day was exported that can be had, by calls of which the first began at since.
func (t *tenure) exported(st *stream, d *day, e *export, since time.Time) {
	r := &d.record
	r.Error = nil
	d.done, d.wanted = true, false
	st.kept.HasRows = st.kept.HasRows || r.Rows > 0
	today := schema.DayOf(time.Now(), t.service.Location)
	switch {
	case r.State == ledger.Settled:
	case st.Kind == schema.Event && !since.Before(st.settles(d.name.Day, t.service.Location)) && len(r.MissingEvents) == 0:
		r.State, r.Final = ledger.Settled, true
		if len(r.Fingerprints) > 1 {
			d.rows.Rewrite()
		}
	default:
		r.State = ledger.Open
	}
	if today-d.name.Day >= schema.Reach-1 {
		r.LastLook = true
	}
	if e.err != nil {
		return // the last slice: it has no header
	}
	if st.kept.Halted != nil {
		t.log.Info("stream resumes", "stream", st.Name)
		st.kept.Halted = nil
	}
	e.names.add(st.kept.Events)
	st.kept.Events = e.names.list()
	t.noteColumns(st, e.columns)
}

// noteColumns logs what has changed in the header, once a change.
func (t *tenure) noteColumns(st *stream, now *schema.Columns) {
	if st.kept.Columns != nil {
		before, err := schema.NewColumns(st.kept.Columns)
		if err == nil {
			if added, gone, moved := now.Difference(before); len(added)+len(gone) > 0 || moved {
				t.log.Warn("the export's columns have changed", "stream", st.Name, "new", added, "gone", gone, "reordered", moved,
					"do", "nothing here; tell consumers that read these columns")
				t.service.counts.columnChange(st.Name)
			}
		}
	}
	st.kept.Columns = now.Names
}

func (t *tenure) fail(st *stream, d *day, e *export, f *schema.Failure) {
	r := &d.record
	now := time.Now().UTC()
	if e.call.Slice && f.Class == schema.Outage {
		t.sliceFailed(st, d, e, f)
		return
	}
	d.tried++
	before := r.Error
	fault := &ledger.Fault{Code: f.Code, Detail: f.Detail, At: now, Attempts: e.call.Attempt, Until: now}
	r.Error = fault
	today := schema.DayOf(now, t.service.Location)
	switch f.Class {
	case schema.Outage, schema.Trouble:
		fault.Until = now.Add(t.backoff(fault.Attempts))
		if f.Code == schema.QueryError && fault.Attempts >= t.service.NarrowAfter {
			t.beginNarrowing(st, d, now)
		}
	case schema.Throttled, schema.Unauthorized:
		// The source holds all calls back.
		fault.Attempts--
	case schema.Refused:
		if before != nil && before.Code == f.Code && st.exportedSince(before.At, d) {
			fault.Until = now.Add(haltFor)
			t.log.Error("a day is refused while others of its stream are not: it alone waits, and is tried again every hour", "stream", st.Name,
				"day", d.name.Day, "code", f.Code, "error", f.Detail,
				"do", "compare its dead letter with what the error names, ask DFINERY about this day; dfinery-kafka resume "+st.Name+" tries at once")
			break
		}
		st.kept.Halted = &ledger.Halt{Code: f.Code, Detail: f.Detail, Since: now, Until: now.Add(haltFor)}
		t.log.Error("stream is halted, and tried again every hour", "stream", st.Name, "code", f.Code, "error", f.Detail,
			"do", "put right what the error names; dfinery-kafka resume "+st.Name+" tries at once")
	case schema.OutOfReach:
		switch {
		case d.name.Day >= today:
			fault.Until = now.Add(st.Poll)
			t.log.Info("today can't be exported yet", "stream", st.Name, "day", d.name.Day)
		case !f.Date.IsZero() && f.Date.Sub(now).Abs() > clockTrust:
			fault.Until = now.Add(t.backoff(fault.Attempts))
			t.log.Error("the API says that a day is out of reach, but its clock differs from this machine's: not believed", "stream", st.Name,
				"day", d.name.Day, "api_clock", f.Date, "clock", now, "do", "set this machine's clock by NTP, or tell DFINERY that theirs is wrong")
		default:
			t.leave(st, d, today)
		}
	}
	d.keepRefusal(before)
}

// exportedSince tells whether a day other than d was exported with success since then.
func (s *stream) exportedSince(then time.Time, d *day) bool {
	for _, other := range s.days {
		if last := other.record.LastSuccess; other != d && last != nil && last.After(then) {
			return true
		}
	}
	return false
}

// clockTrust is how far the API's clock may be from ours for both to mean the same day, give or take.
const clockTrust = time.Hour

// jitter is between half of the wait and the whole of it, so that days do not fail in step.
func jitter(wait time.Duration) time.Duration { return wait/2 + rand.N(wait/2+1) }

// backoff is how long a day waits after its n-th failure in a row, with jitter.
func (t *tenure) backoff(n int) time.Duration {
	wait := t.service.RetryBackoff
	for range n - 1 {
		if wait *= 2; wait >= t.service.RetryMaxBackoff {
			wait = t.service.RetryMaxBackoff
			break
		}
	}
	return t.jitter(wait)
}
