package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// haltFor is how long a stream or a day waits whose request or header the API can't have right.
const haltFor = time.Hour

// clockTrust is how far the API's clock may be from ours for both to mean the same day,
// give or take.
const clockTrust = time.Hour

// succeed notes a call that exported the whole day, or all of it but the events that it lacks.
func (s *step) succeed() {
	r := &s.d.record
	r.Rows = s.o.Rows
	// Of the rows published before, those that the export did not have are missing.
	r.Missing = max(0, s.d.published-s.o.Known)
	if s.st.Changes { // complete snapshots decide who is missing
		r.Missing = 0
	}
	if len(r.MissingEvents) > 0 { // asked for without them
		r.Rows, r.Missing = r.Published, 0
	}
	s.d.took = s.o.Took
	if len(r.MissingEvents) == 0 {
		s.noteStillBad()
	}
	started := s.o.Started
	r.LastSuccess = &started
	s.markExported(started)
	if r.Missing > 0 {
		s.tell(Event{Kind: RowsMissing, Count: r.Missing})
	}
}

// markExported notes that everything of the day was exported that can be had, by calls
// of which the first began at since.
func (s *step) markExported(since time.Time) {
	st, d := s.st, s.d
	r := &d.record
	r.Error = nil
	d.cut.end()
	d.done, d.requested = true, false
	st.hasRows = st.hasRows || r.Rows > 0
	if hadRows(r) {
		st.days.retryAnsweredEmpty(s.now)
	}
	why := exported
	if !st.Kind.Snapshot() && !since.Before(st.settles(d.name.Day, s.policy.Location)) && len(r.MissingEvents) == 0 {
		why = exportedFinally
	}
	if d.move(why) && r.State == ledger.Settled {
		s.tell(Event{Kind: DaySettled})
	}
	if s.policy.today(s.now)-d.name.Day >= schema.Reach-1 {
		r.LastLook = true
	}
	if s.o.Failure != nil {
		return // the last slice: it has no header
	}
	if st.halted != nil {
		st.halted = nil
		s.tellStream(Event{Kind: StreamResumed})
	}
	st.names.events = s.o.EventNames
	st.names.meet(st.Filter.Properties, s.o.Properties)
	if s.o.Rows > 0 {
		st.charset.note(s.o.Charset)
	}
	if len(s.o.Columns.Names) > 0 { // a day that was answered without rows has no header
		st.columns.last = s.o.Columns.Names
	}
}

// noteStillBad notes which bad rows a whole export had. As many as have dead letters
// are the same ones.
func (s *step) noteStillBad() {
	r := &s.d.record
	r.StillBad = s.o.StillBad
	if r.StillBad == nil || s.o.Bad == r.Bad && r.Generation == 1 {
		r.StillBad = nil
		return
	}
	r.StillBad.Export = s.o.Call.N
}

// fail notes a call that failed. The failure's class says what follows.
func (s *step) fail() {
	st, d, f := s.st, s.d, s.o.Failure
	if s.o.Call.Slice && f.Class == schema.Outage {
		s.sliceFailed()
		return
	}
	d.failed++
	before := d.record.Error
	fault := &ledger.Fault{Code: f.Code, Detail: f.Detail, At: s.now, Attempts: s.o.Call.Attempt, Until: s.now}
	d.record.Error = fault
	switch f.Class {
	case schema.Outage, schema.Trouble:
		fault.Until = s.now.Add(s.backoff(fault.Attempts))
		if f.Code == schema.QueryError && fault.Attempts >= s.policy.NarrowAfter {
			s.narrow()
		}
	case schema.Truncated:
		fault.Until = s.truncated()
	case schema.Postponed:
		fault.Until = s.now.Add(s.backoff(fault.Attempts))
	case schema.Throttled, schema.Unauthorized:
		// The source holds all calls back.
		fault.Attempts--
	case schema.Refused:
		if f.Empty && !hadRows(&d.record) {
			s.answeredEmpty(fault)
			break
		}
		if f.Code != schema.PrivacyColumns && before != nil && before.Code == f.Code && st.days.exportedSince(before.At, d) {
			fault.Until = s.now.Add(haltFor)
			s.tell(Event{Kind: DayRefused, Code: f.Code, Detail: f.Detail})
			break
		}
		st.halt(f.Code, f.Detail, s.now, s.now.Add(haltFor))
		s.tellStream(Event{Kind: StreamHalted, Code: f.Code, Detail: f.Detail})
	case schema.OutOfReach:
		s.outOfReach(fault)
	}
	d.keepRefusal(before)
}

// outOfReach handles the API's answer that the day is out of reach.
func (s *step) outOfReach(fault *ledger.Fault) {
	f, today := s.o.Failure, s.policy.today(s.now)
	switch {
	case s.d.name.Day >= today:
		fault.Until = s.now.Add(s.st.Poll)
		s.tell(Event{Kind: TodayTooEarly})
	case !f.Date.IsZero() && f.Date.Sub(s.now).Abs() > clockTrust:
		fault.Until = s.now.Add(s.backoff(fault.Attempts))
		s.tell(Event{Kind: ClockDiffers, At: f.Date})
	default:
		s.events = append(s.events, s.st.expire(s.d, today)...)
		if s.d.record.State == ledger.Settled && today-s.d.name.Day >= schema.Reach-1 {
			s.d.record.LastLook = true // there can be no other
		}
	}
}
