package pipeline

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// codeExclusive halts a stream whose days are all empty although the API has rows: to_date is not what is configured.
const codeExclusive schema.Code = "to_date_exclusive"

// probe is how the search for an exclusive to_date stands. Only a process that still has no rows of the stream knows of it.
type probe struct {
	answered bool       // without rows, or the stream has halted
	doubted  schema.Day // the day whose probe had rows: it and the next are exported once more, for their rows may only have been late
	failed   int        // calls in a row
	until    time.Time  // not before: the last call failed
	detail   string     // why
}

// exclusive tells whether the stream is halted because to_date looks exclusive.
func (s *stream) exclusive() bool { return s.kept.Halted != nil && s.kept.Halted.Code == codeExclusive }

// wantsProbe tells whether it must be found out if to_date is exclusive: all days of a new stream came back without a row. Otherwise
// every day would be settled empty. The day asked for is one whose next day is over, and empty, too: so rows can only be its own.
func (s *stream) wantsProbe(today schema.Day, now time.Time) (due, bool) {
	first := s.first(today)
	next := due{stream: s, day: max(first, today-2), at: now, urgency: backfill, failed: s.probe.failed, probe: true}
	if s.probe.until.After(now) {
		next.at, next.waits = s.probe.until, schema.WaitBackoff
	}
	if s.exclusive() {
		return next, true
	}
	if s.Kind != schema.Event || s.kept.HasRows || s.probe.answered || first >= today {
		return due{}, false
	}
	for day := first; day <= today; day++ {
		d := s.days[day]
		if d == nil || d.busy() || d.record.LastSuccess == nil && day < today || d.record.Rows > 0 {
			return due{}, false
		}
		if again := day == s.probe.doubted || day == s.probe.doubted+1; again && d.wanted {
			return due{}, false
		}
	}
	return next, true
}

// judgeProbe takes the probe's answer. Its rows were counted, not published.
func (t *tenure) judgeProbe(st *stream, d *day, e *export) {
	now := time.Now().UTC()
	today := schema.DayOf(now, t.service.Location)
	doubted, at := st.probe.doubted, d.name.Day
	st.probe = probe{answered: true}
	switch {
	case e.sum.Rows() == 0:
		if st.exclusive() {
			st.kept.Halted = nil
		}
		return
	case !st.exclusive() && doubted != at:
		st.probe = probe{doubted: at}
		for day := at; day <= min(at+1, today); day++ {
			st.day(day).wanted = true
		}
		t.log.Warn("days without rows have some when they are exported together: they are exported once more, then to_date is judged",
			"stream", st.Name, "day", at, "rows", e.sum.Rows(), "do", "nothing yet")
		return
	}
	detail := "every day came back without a row, but a day with the next one has rows: to_date looks exclusive: set DFINERY_TO_DATE=exclusive"
	st.kept.Halted = &ledger.Halt{Code: codeExclusive, Detail: detail, Since: now, Until: now.Add(haltFor)}
	t.log.Error("stream is halted", "stream", st.Name, "day", at, "rows", e.sum.Rows(), "error", detail,
		"do", "set DFINERY_TO_DATE=exclusive and start again")
	for day, other := range st.days {
		r := &other.record
		if empty := r.Published == 0 && r.Rows == 0; day >= st.first(today) && empty && (r.State == ledger.Open || r.State == ledger.Settled) {
			r.State, r.Final, r.LastSuccess, r.LastLook = ledger.Pending, false, nil, false
			other.done, other.changed = false, true
		}
	}
}

// probeFailed has the probe wait. Its failure is nothing of the day that it asked for, which was exported.
func (t *tenure) probeFailed(st *stream, f *schema.Failure) {
	now := time.Now().UTC()
	p := &st.probe
	p.detail = f.Detail
	switch f.Class {
	case schema.Throttled, schema.Unauthorized: // the source holds all calls back
	case schema.Refused, schema.OutOfReach:
		p.failed++
		p.until = now.Add(haltFor)
	default:
		p.failed++
		p.until = now.Add(t.backoff(p.failed))
	}
	if st.exclusive() {
		halt := *st.kept.Halted
		halt.Until = now.Add(haltFor)
		st.kept.Halted = &halt
	}
}
