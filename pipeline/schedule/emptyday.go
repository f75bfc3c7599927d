package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// An answer without rows that DFINERY_EMPTY_DAY names counts as a day without events
// only if there is evidence that the API is the right one: the day never had rows,
// another day has some, and no day that had rows gets this answer now. A wrong address
// answers all days the same way.

// everHadRows reports whether an export of the day ever had rows.
func everHadRows(r *ledger.Day) bool { return r.Published > 0 || r.Rows > 0 || r.Bad > 0 }

// wasAnsweredEmpty reports whether the day's last call was answered without rows.
func wasAnsweredEmpty(r *ledger.Day) bool { return r.Error != nil && r.Error.Code.NoRows() }

// mayBeEmpty reports whether an answer without rows may count as an export of the day,
// or of a slice, which may be empty if others are not.
func (l days) mayBeEmpty(d *Day, slice bool) bool {
	if everHadRows(&d.record) && !slice {
		return false
	}
	some := false
	for _, other := range l {
		if !everHadRows(&other.record) || other == d && !slice {
			continue
		}
		if wasAnsweredEmpty(&other.record) {
			return false
		}
		some = true
	}
	return some
}

// allEmpty reports whether all days that the stream exports were answered without rows
// and never otherwise.
func (c *calendar) allEmpty(today schema.Day) bool {
	for at := c.first(today); at <= today; at++ {
		if d := c.days[at]; d == nil || !wasAnsweredEmpty(&d.record) || everHadRows(&d.record) {
			return false
		}
	}
	return true
}

// answeredEmpty delays a day that was answered without rows while no other day had any.
// The stream is halted once all its days were answered like that.
func (s *step) answeredEmpty(fault *ledger.Fault) {
	if s.st.days.mayBeEmpty(s.d, s.o.Call.Slice) { // another day got rows during the call
		fault.Until = s.now.Add(s.backoff(fault.Attempts))
		return
	}
	fault.Until = s.now.Add(haltFor)
	if !s.st.allEmpty(s.policy.today(s.now)) {
		s.emit(Event{Kind: DayAnsweredEmpty, Code: fault.Code})
		return
	}
	detail := "every day was answered without rows (" + string(fault.Code) + "), which DFINERY_EMPTY_DAY takes for days without events only if another day has some: " +
		"check DFINERY_BASE_URL, DFINERY_SERVICE_ID and the stream's filters"
	s.st.halt(fault.Code, detail, s.now, fault.Until)
	s.emitStream(Event{Kind: StreamHalted, Code: fault.Code, Detail: detail})
}

// retryAnsweredEmpty makes the days due that wait until another day has rows.
func (l days) retryAnsweredEmpty(now time.Time) {
	for _, d := range l {
		if r := &d.record; wasAnsweredEmpty(r) && !everHadRows(r) {
			d.endWait(now)
		}
	}
}
