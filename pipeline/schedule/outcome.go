package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// haltFor is how long a stream or day waits after a failure that a retry does not fix.
const haltFor = time.Hour

// clockTrust is the maximum difference between the API's clock and ours at which its
// answer about a day's reach is trusted.
const clockTrust = time.Hour

// succeed records a call that exported the whole day, except for its missing events.
func (s *step) succeed() {
	r := &s.d.record
	r.Rows = s.o.Rows
	// Rows that were published before and are not in this export are missing.
	r.Missing = max(0, s.d.publishedBefore-s.o.Known)
	if s.st.Changes { // absent profiles are determined by complete snapshots
		r.Missing = 0
	}
	if len(r.MissingEvents) > 0 { // the request excluded them
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
		s.emit(Event{Kind: RowsMissing, Count: r.Missing})
	}
}

// markExported records that the day was exported as completely as possible, by calls of
// which the first began at since.
func (s *step) markExported(since time.Time) {
	st, d := s.st, s.d
	r := &d.record
	r.Error = nil
	d.cut.end()
	d.done, d.requested = true, false
	st.exportHadRows = st.exportHadRows || r.Rows > 0
	if everHadRows(r) {
		st.days.retryAnsweredEmpty(s.now)
	}
	why := exported
	if !st.Kind.Snapshot() && !since.Before(st.settles(d.name.Day, s.policy.Location)) && len(r.MissingEvents) == 0 {
		why = exportedFinally
	}
	if d.move(why) && r.State == ledger.Settled {
		s.emit(Event{Kind: DaySettled})
	}
	if leavesSoon(d.name.Day, s.policy.today(s.now)) {
		r.LastLook = true
	}
	if s.o.Failure != nil {
		return // only the last slice, which has no header
	}
	if st.halted != nil {
		st.halted = nil
		s.emitStream(Event{Kind: StreamResumed})
	}
	st.names.events = s.o.EventNames
	st.names.markSeen(st.Filter.Properties, s.o.Properties)
	if s.o.Rows > 0 {
		st.charset.note(s.o.Charset)
	}
	if len(s.o.Columns.Names) > 0 { // an answer without rows has no header
		st.columns.last = s.o.Columns.Names
	}
}

// noteStillBad records the bad rows of a complete export. Up to the number of dead
// letters they are the same rows.
func (s *step) noteStillBad() {
	r := &s.d.record
	r.StillBad = s.o.StillBad
	if r.StillBad == nil || s.o.Bad == r.Bad && r.Generation == 1 {
		r.StillBad = nil
		return
	}
	r.StillBad.Export = s.o.Call.N
}

// fail records a failed call, and reacts by the class of the failure.
func (s *step) fail() {
	d, f := s.d, s.o.Failure
	if s.o.Call.Slice && f.Class == schema.Outage {
		s.sliceFailed()
		return
	}
	d.failed++
	before := d.record.Error
	fault := &ledger.Fault{Code: f.Code, Detail: f.Detail, At: s.now, Attempts: s.o.Call.Attempt, Until: s.now}
	d.record.Error = fault
	switch f.Class {
	case schema.Outage, schema.Trouble, schema.Postponed:
		fault.Until = s.now.Add(s.backoff(fault.Attempts))
		if f.Code == schema.QueryError && fault.Attempts >= s.policy.NarrowAfter {
			s.narrow()
		}
	case schema.Truncated:
		fault.Until = s.truncated()
	case schema.Throttled, schema.Unauthorized:
		// The source delays all calls.
		fault.Attempts--
	case schema.Refused:
		s.refused(fault, before)
	case schema.OutOfReach:
		s.outOfReach(fault)
	}
	d.keepOutOfReach(before)
}

// refused halts the stream, or delays only the day if other days were exported since it
// was refused before. was is the previous failure.
func (s *step) refused(fault, was *ledger.Fault) {
	st, d, f := s.st, s.d, s.o.Failure
	switch {
	case f.Empty && !everHadRows(&d.record):
		s.answeredEmpty(fault)
	case f.Code != schema.PrivacyColumns && was != nil && was.Code == f.Code && st.days.exportedSince(was.At, d):
		fault.Until = s.now.Add(haltFor)
		s.emit(Event{Kind: DayRefused, Code: f.Code, Detail: f.Detail})
	default:
		st.halt(f.Code, f.Detail, s.now, s.now.Add(haltFor))
		s.emitStream(Event{Kind: StreamHalted, Code: f.Code, Detail: f.Detail})
	}
}

// outOfReach handles an answer of the API that the day is out of reach.
func (s *step) outOfReach(fault *ledger.Fault) {
	f, today := s.o.Failure, s.policy.today(s.now)
	switch {
	case s.d.name.Day >= today:
		fault.Until = s.now.Add(s.st.Poll)
		s.emit(Event{Kind: TodayTooEarly})
	case !f.Date.IsZero() && f.Date.Sub(s.now).Abs() > clockTrust:
		fault.Until = s.now.Add(s.backoff(fault.Attempts))
		s.emit(Event{Kind: ClockDiffers, At: f.Date})
	default:
		s.events = append(s.events, s.st.expire(s.d, today)...)
		if s.d.record.State == ledger.Settled && leavesSoon(s.d.name.Day, today) {
			s.d.record.LastLook = true // it was the last possible export
		}
	}
}
