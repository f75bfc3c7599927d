package pipeline

import (
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
		first, oldest := st.first(today), today
		for day, d := range st.days {
			oldest = min(oldest, day)
			if day != today && !d.busy() && !d.rows.Dirty() {
				d.rows.Set = nil
			}
			if state := d.record.State; st.retract(d, today, now, t.service.Location) {
				t.log.Warn("a day is exported again that had come to its end too early: the clock was ahead, or the lookback or START is longer now",
					"stream", st.Name, "day", day, "state", state, "do", "nothing; if neither was changed, set this machine's clock by NTP")
			}
		}
		for day := max(oldest, today-missed); day < first; day++ {
			switch d := st.days[day]; {
			case d == nil && st.Kind == schema.Event:
				t.leave(st, st.day(day))
			case d != nil && !d.busy() && (d.record.State == ledger.Open || d.record.State == ledger.Pending):
				t.leave(st, d)
			}
		}
		t.warn(st, first, today)
	}
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

// leave ends a day that the API no longer exports, or that STREAM_X_START, in days back from today, leaves behind.
func (t *tenure) leave(st *stream, d *day) {
	r := &d.record
	d.changed = true
	where, lost, do := "the API's reach", "its rows are lost at the source", "tell those who use this data; only DFINERY may still have it"
	if d.name.Day >= schema.DayOf(time.Now(), t.service.Location)-schema.Reach && !d.refused() {
		where, lost, do = "the days that the stream's START names", "its rows are not exported any more", "set a longer STREAM_…_START if they are wanted"
	}
	switch {
	case st.Kind == schema.UserProfile && r.State == ledger.Pending:
		delete(st.days, d.name.Day) // that snapshot can't be had any more, and the next has its rows
	case st.Kind == schema.UserProfile:
		r.State, r.Final = ledger.Settled, true
	case r.State == ledger.Pending:
		r.State = ledger.Gap
		t.service.counts.gap(st.Name)
		t.log.Error("a day has left "+where+" without ever having been exported: "+lost, "stream", st.Name, "day", d.name.Day, "do", do)
	case r.State == ledger.Open:
		r.State, r.Final = ledger.Settled, false
		t.log.Warn("a day has left "+where+" before it was settled: late rows may be missing", "stream", st.Name, "day", d.name.Day, "do", do)
	}
}
