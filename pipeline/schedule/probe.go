package schedule

import (
	"time"

	"dfinery-kafka/schema"
)

// codeExclusive halts a stream whose days are all empty although the API has rows:
// DFINERY_TO_DATE is wrong.
const codeExclusive schema.Code = "to_date_exclusive"

// detailExclusive is the detail of that halt.
const detailExclusive = "every day came back without a row, but a day with the next one has rows: to_date looks exclusive: set DFINERY_TO_DATE=exclusive"

// probe is the state of the search for an exclusive to_date. Only a process that has
// seen no rows of the stream searches.
type probe struct {
	answered  bool       // the probe had no rows, or the stream is halted
	suspected schema.Day // the day whose probe had rows: this and the next day are exported again, as the rows may only have been late
	failed    int        // calls in a row
	until     time.Time  // earliest time after a failed call
	detail    string     // why
}

// nextProbe returns the call that tests whether to_date is exclusive, if all days of a
// new stream came back without rows. Without this test every day would be settled as
// empty. It requests a day together with the next one, which is over and empty too: so
// any rows belong to the day.
func (s *Stream) nextProbe(today schema.Day, now time.Time) (Due, bool) {
	first := s.first(today)
	next := Due{Stream: s.Name, Day: max(first, today-2), At: now, Probe: true, stream: s, urgency: backfill, failed: s.probe.failed}
	if s.probe.until.After(now) {
		next.At, next.Waits = s.probe.until, schema.WaitBackoff
	}
	if s.exclusive() {
		return next, true
	}
	if s.Kind.Snapshot() || s.exportHadRows || s.probe.answered || first >= today {
		return Due{}, false
	}
	return next, s.withoutRows(today, s.probe.suspected)
}

// withoutRows reports whether all days came back without rows; a suspected day and the
// next one must have been exported again.
func (c *calendar) withoutRows(today, suspected schema.Day) bool {
	for day := c.first(today); day <= today; day++ {
		d := c.days[day]
		if d == nil || d.running || d.record.LastSuccess == nil && day < today || d.record.Rows > 0 {
			return false
		}
		if again := day == suspected || day == suspected+1; again && d.requested {
			return false
		}
	}
	return true
}

// fail delays the probe until then.
func (p *probe) fail(detail string, until time.Time) {
	p.failed++
	p.detail, p.until = detail, until
}

// probeSucceeded evaluates a probe's answer, whose rows were counted but not published.
func (s *step) probeSucceeded() {
	st, at, today := s.st, s.d.name.Day, s.policy.today(s.now)
	before := st.probe.suspected
	st.probe = probe{answered: true}
	switch {
	case s.o.Rows == 0:
		st.endHalt(codeExclusive)
		return
	case !st.exclusive() && before != at:
		st.probe = probe{suspected: at}
		for day := at; day <= min(at+1, today); day++ {
			st.Day(day).requested = true
		}
		s.emit(Event{Kind: ExclusiveSuspected, Count: s.o.Rows})
		return
	}
	st.halt(codeExclusive, detailExclusive, s.now, s.now.Add(haltFor))
	s.emit(Event{Kind: ExclusiveFound, Detail: detailExclusive, Count: s.o.Rows})
	for day, other := range st.days {
		if r := &other.record; day >= st.first(today) && r.Published == 0 && r.Rows == 0 && other.move(suspected) {
			r.LastSuccess, r.LastLook, other.done = nil, false, false
		}
	}
}

// probeFailed delays the probe. Its failure does not affect the requested day, which
// was exported.
func (s *step) probeFailed() {
	p, detail := &s.st.probe, s.o.Failure.Detail
	switch s.o.Failure.Class {
	case schema.Throttled, schema.Unauthorized: // the source delays all calls
		p.detail = detail
	case schema.Refused, schema.OutOfReach:
		p.fail(detail, s.now.Add(haltFor))
	default:
		p.fail(detail, s.now.Add(s.backoff(p.failed+1)))
	}
	if s.st.exclusive() {
		s.st.haltUntil(s.now.Add(haltFor))
	}
}
