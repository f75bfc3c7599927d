package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Resume ends a pause and a halt of the stream, and the waits of its days after
// failures. It accepts the columns that were refused.
func (s *Stream) Resume(now time.Time) {
	if s.endHalt(schema.PrivacyColumns) {
		s.hiding.acceptRefused()
	}
	s.paused, s.halted = false, nil
	s.columns.acceptRefused()
	s.days.endWaits(now)
}

// Request has the day exported again, whatever its state.
func (d *Day) Request() { d.requested = true }

// Restart begins a new generation of the day, and requests it. by names the command: it
// begins only one. A day that is running can't start over yet.
func (d *Day) Restart(by string) bool {
	if d.running || d.record.AgainBy == by {
		return false
	}
	d.publishAgain(by)
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
func (d *Day) Answer(since time.Time) Answer {
	ended := d.record.State == ledger.Gap || d.record.State == ledger.Settled
	switch {
	case d.hadSuccess() && d.record.LastSuccess != nil && d.record.LastSuccess.After(since):
		return Exported
	case ended && d.refused() && d.record.Error.At.After(since):
		return OutOfReach
	}
	return Unanswered
}
