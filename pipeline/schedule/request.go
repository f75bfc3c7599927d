package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Pause has the stream make no calls until Resume.
func (s *State) Pause(stream string) { s.stream(stream).kept.Paused = true }

// Resume ends a pause and a halt of the stream, and the waits of its days after failures. It accepts the columns that were refused.
func (s *State) Resume(stream string, now time.Time) {
	st := s.stream(stream)
	st.acceptHeader()
	st.kept.Paused, st.kept.Halted = false, nil
	st.acceptRefused()
	st.endWaits(now)
}

// endWaits ends the waits of the stream's days after failures.
func (s *stream) endWaits(now time.Time) {
	for _, d := range s.days {
		if was := d.record.Error; was != nil && was.Until.After(now) {
			is := *was
			is.Until = now
			d.record.Error, d.changed = &is, true
		}
	}
}

// Request has the day exported again, whatever its state.
func (s *State) Request(name ledger.DayName) { s.day(name).requested = true }

// Restart begins a new generation of the day, and requests it. by names the command: it begins only one. A day that is running can't
// start over yet.
func (s *State) Restart(name ledger.DayName, by string) bool {
	d := s.day(name)
	if d.running || d.record.AgainBy == by {
		return false
	}
	d.restart(by)
	d.requested = true
	return true
}

// Answer is what has come of a request.
type Answer int

// The answers.
const (
	Unanswered Answer = iota
	Exported          // by a call that began later
	OutOfReach        // the API has refused it
)

// Answer is what has come of a request for the day that was made at since.
func (s *State) Answer(name ledger.DayName, since time.Time) Answer {
	d := s.day(name)
	ended := d.record.State == ledger.Gap || d.record.State == ledger.Settled
	switch {
	case d.hadSuccess() && d.record.LastSuccess != nil && d.record.LastSuccess.After(since):
		return Exported
	case ended && d.refused() && d.record.Error.At.After(since):
		return OutOfReach
	}
	return Unanswered
}

// detectIdentityChange begins a new generation of the days in reach when what the fingerprints of the stream's rows depend on has changed. Days
// before START keep their state: they are published again when a command asks for them. Another key halts the stream instead.
func (s *State) detectIdentityChange(st *stream, now time.Time) []Event {
	id, was := st.identity(), st.kept.Identity
	if st.keyRefused() {
		st.kept.Halted = nil // this start may have the former key again
	}
	if key := hiddenKeyOf(was); key != "" && st.HiddenKey != "" && key != st.HiddenKey && st.hadRows() {
		return s.refuseKey(st, key, now)
	}
	st.kept.Identity = id
	if hiddenKeyOf(was) == "" && st.Hidden != "" {
		st.withholdDetails()
	}
	if was == "" || was == id {
		return nil
	}
	var events []Event
	if hiddenKeyOf(was) == "" && st.Hidden != "" && st.hadRows() {
		events = append(events, Event{Kind: HidingBegins, Stream: st.Name})
	}
	return append(events, s.beginIdentity(st, now)...)
}

// beginIdentity begins a new generation of the days in reach that have rows, or could have some.
func (s *State) beginIdentity(st *stream, now time.Time) []Event {
	id, today := st.identity(), s.today(now)
	days, rows := 0, 0
	for at, d := range st.days {
		r := &d.record
		switch {
		case at < today-schema.Reach || !d.hadSuccess() && r.Published+r.Bad == 0:
		case at < st.first(today):
			d.forgetRows("identity " + id)
		default:
			rows += r.Published
			d.restart("identity " + id)
			days++
		}
	}
	if rows == 0 {
		return nil // nothing was published that could be there twice
	}
	return []Event{{Kind: IdentityChanged, Stream: st.Name, Count: days, Rows: rows}}
}
