package pipeline

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// codeExclusive halts a stream whose days are all empty although the API has rows: to_date is not what is configured.
const codeExclusive schema.Code = "to_date_exclusive"

// wantsProbe tells whether it must be found out if to_date is exclusive: all days of a new stream came back without a row. Otherwise
// every day would be settled empty. The day asked for is one whose next day is over, and empty, too: so rows can only be its own.
func (s *stream) wantsProbe(today schema.Day) (schema.Day, bool) {
	first := s.first(today)
	if h := s.kept.Halted; h != nil && h.Code == codeExclusive {
		return max(first, today-2), true // before anything else of it
	}
	if s.Kind != schema.Event || s.kept.HasRows || s.probed {
		return 0, false
	}
	if first >= today {
		return 0, false
	}
	for day := first; day <= today; day++ {
		d := s.days[day]
		if d == nil || d.busy() || d.record.LastSuccess == nil && day < today || d.record.Rows > 0 {
			return 0, false
		}
	}
	return max(first, today-2), true
}

// judgeProbe takes the probe's answer. Its rows were counted, not published.
func (t *tenure) judgeProbe(st *stream, d *day, e *export) {
	st.probed = true
	if e.sum.Rows() == 0 {
		if st.kept.Halted != nil && st.kept.Halted.Code == codeExclusive {
			st.kept.Halted = nil
		}
		return
	}
	now := time.Now().UTC()
	detail := "every day came back without a row, but a day with the next one has rows: to_date looks exclusive: set DFINERY_TO_DATE=exclusive"
	st.kept.Halted = &ledger.Halt{Code: codeExclusive, Detail: detail, Since: now, Until: now.Add(haltFor)}
	t.log.Error("stream is halted", "stream", st.Name, "day", d.name.Day, "rows", e.sum.Rows(), "error", detail,
		"do", "set DFINERY_TO_DATE=exclusive and start again")
	for _, other := range st.days {
		if r := &other.record; r.Published == 0 && r.Rows == 0 && (r.State == ledger.Open || r.State == ledger.Settled) {
			r.State, r.Final, r.LastSuccess, r.LastLook = ledger.Pending, false, nil, false
			other.done, other.changed = false, true
		}
	}
}
