package pipeline

import (
	"maps"
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// missed is how many days back, at most, those that passed while no instance ran become gaps.
const missed = 2 * schema.Reach

// warnWithin is how many days before a day is lost at the source it is warned of, once a day.
const warnWithin = 3

// settleIn is how long a start has to export what is about to be lost before it is warned of.
const settleIn = 10 * time.Minute

// age ends the days that have left the reach, also while no instance ran, and lets go of the fingerprints of days that rest.
//
// A day's record stays in memory, as it does in the ledger: an old day is written by a replay, and a clock that was months ahead for a
// minute must not make its days look new.
func (t *tenure) age(now time.Time) {
	today := schema.DayOf(now, t.service.Location)
	for _, st := range t.streams {
		st.keepDue(today, t.service.Location)
		first := st.first(today)
		for _, day := range slices.Sorted(maps.Keys(st.days)) {
			d := st.days[day]
			if day != today && !d.busy() && !d.rows.Dirty() {
				d.rows.Set = nil
			}
			if state := d.record.State; st.retract(d, today, now, t.service.Location) {
				t.log.Warn("a day is exported again that had come to its end too early: the clock was ahead, or the lookback or START is longer now",
					"stream", st.Name, "day", day, "state", state, "do", "nothing; if neither was changed, set this machine's clock by NTP")
			}
		}
		for _, day := range st.leaving(first, today) {
			t.leave(st, st.day(day), today)
		}
		t.warn(st, first, today)
	}
}

// leaving are the days that come to their end because they are before first: those that were exported, and those that never were and
// have left the API's reach. A day before START that was never exported is nobody's loss, unless a command has asked for it.
func (s *stream) leaving(first, today schema.Day) []schema.Day {
	var list []schema.Day
	for day, d := range s.days {
		if day >= first || d.busy() {
			continue
		}
		lost := day < today-schema.Reach
		switch d.record.State {
		case ledger.Open:
			if lost || !d.wanted {
				list = append(list, day)
			}
		case ledger.Pending:
			if s.Kind == schema.Event && lost && (day >= s.dueFrom || d.wanted) {
				list = append(list, day)
			}
		}
	}
	if s.Kind == schema.Event {
		for day := max(s.dueFrom, today-missed); day < first; day++ {
			if s.days[day] == nil {
				list = append(list, day)
			}
		}
	}
	slices.Sort(list)
	return list
}

// keepDue moves dueFrom on to the oldest day that is due. START in days back moves on with today, but what was due before and was not
// exported since stays due: during an outage that is longer than START no day is lost.
func (s *stream) keepDue(today schema.Day, loc *time.Location) {
	if s.Kind != schema.Event {
		return
	}
	start := s.start(today)
	if s.dueFrom == 0 {
		s.dueFrom = s.dueBefore(start, today)
	}
	for s.dueFrom < start && !s.due(s.dueFrom, loc) {
		s.dueFrom++
	}
	if s.StartBack >= 0 {
		s.dueFrom = min(s.dueFrom, start) // a clock that was ahead
	}
}

// dueBefore is where to begin with a stream whose ledger does not say from when on its days are due: a new one, one of a former release, or
// one that has another START now. What the former START named was due on the last day of which something is known, and all days since.
func (s *stream) dueBefore(start, today schema.Day) schema.Day {
	var oldest, newest schema.Day
	for day, d := range s.days {
		if d.record.FirstExport == nil && d.record.State == ledger.Pending {
			continue // only asked for
		}
		if oldest == 0 || day < oldest {
			oldest = day
		}
		newest = max(newest, day)
	}
	switch {
	case newest == 0:
		return max(start, today-schema.Reach)
	case s.StartBack < 0:
		return max(start, min(oldest, today-schema.Reach))
	}
	return min(start, max(s.start(newest), oldest))
}

// due tells whether a day before START was due when START moved on past it, and was not exported since.
func (s *stream) due(day schema.Day, loc *time.Location) bool {
	d := s.days[day]
	switch {
	case d == nil || d.record.State == ledger.Pending || d.busy() || len(d.record.Slices) > 0:
		return true
	case d.record.State != ledger.Open:
		return false
	}
	left := day + schema.Day(s.StartBack) // the last day of which it was one of START's
	at := d.record.LastSuccess.Add(max(s.LookbackInterval, 2*d.took))
	if left == day {
		at = d.record.LastSuccess.Add(max(s.Poll, 2*d.took))
	} else if settles := s.settles(day, loc); at.After(settles) {
		at = settles
	}
	return at.Before(left.End(loc))
}

// warn says once a day which days are about to be lost.
func (t *tenure) warn(st *stream, first, today schema.Day) {
	if st.warned == today || time.Since(t.began) < settleIn {
		return
	}
	st.warned = today
	for day := first; day <= today-schema.Reach+warnWithin; day++ {
		if d := st.days[day]; d == nil || d.record.State == ledger.Pending {
			t.log.Warn("a day that was never exported is about to leave the API's reach", "stream", st.Name, "day", day,
				"lost_after", (day + schema.Reach + 1).Start(t.service.Location).UTC(),
				"do", "see its last error in dfinery-kafka status, and put it right before then")
		}
	}
}

// leave ends a day that the API no longer exports, or that STREAM_X_START, in days back from today, leaves behind. No command waits for it.
func (t *tenure) leave(st *stream, d *day, today schema.Day) {
	r := &d.record
	d.changed, d.wanted = true, false
	switch {
	case st.Kind == schema.UserProfile && r.State == ledger.Pending:
		// That snapshot can't be had any more, and the next has its rows.
	case st.Kind == schema.UserProfile:
		r.State, r.Final = ledger.Settled, true
	case r.State == ledger.Pending:
		r.State = ledger.Gap
		t.service.counts.gap(st.Name)
		t.log.Error("a day has left the API's reach without ever having been exported: its rows are lost at the source", "stream", st.Name,
			"day", d.name.Day, "do", "tell those who use this data; only DFINERY may still have it")
	case r.State == ledger.Open:
		r.State, r.Final = ledger.Settled, false
		where, do := "the API's reach", "tell those who use this data; only DFINERY may still have them"
		if d.name.Day >= today-schema.Reach && !d.refused() {
			where, do = "the days that the stream's START names", "set a longer STREAM_…_START if they are wanted"
		}
		t.log.Warn("a day has left "+where+" before it was settled: late rows may be missing", "stream", st.Name, "day", d.name.Day, "do", do)
	case r.State == ledger.Settled: // a last look, or one that a command asked for: there is no other
		r.LastLook = true
	}
}
