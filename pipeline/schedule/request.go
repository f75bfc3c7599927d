package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Resume ends a pause and a halt of the stream, and the waits of its days after
// failures. It accepts refused columns.
func (s *Stream) Resume(now time.Time) {
	if s.endHalt(schema.PrivacyColumns) {
		s.hiding.acceptRefused()
	}
	s.paused, s.halted = false, nil
	s.columns.acceptRefused()
	s.days.endWaits(now)
}

// Request makes the day due, in any state.
func (d *Day) Request() { d.requested = true }

// Restart begins a new generation of the day, and requests it. by is the command, which
// begins only one generation of a day. It returns false while the day is running.
func (d *Day) Restart(by string) bool {
	if d.running || d.record.AgainBy == by {
		return false
	}
	d.publishAgain(by)
	d.requested = true
	return true
}

// Answer is the result of a request.
type Answer int

// The answers.
const (
	Unanswered Answer = iota
	Exported          // by a call that began after the request
	OutOfReach        // the API said so
)

// Answer returns the result of a request for the day that was made at since.
func (d *Day) Answer(since time.Time) Answer {
	ended := d.record.State == ledger.Gap || d.record.State == ledger.Settled
	switch {
	case d.hadSuccess() && d.record.LastSuccess != nil && d.record.LastSuccess.After(since):
		return Exported
	case ended && d.isOutOfReach() && d.record.Error.At.After(since):
		return OutOfReach
	}
	return Unanswered
}
