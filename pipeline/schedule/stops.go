package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// stops are the conditions that prevent a stream from making calls.
type stops struct {
	paused  bool
	halted  *ledger.Halt // immutable: readers of the ledger's record may hold it
	blocked string       // why the topic can't be written; empty if it can
}

// Pause prevents calls of the stream until Resume.
func (s *stops) Pause() { s.paused = true }

// Block makes the stream wait for its topic until the owner creates the next State.
func (s *stops) Block(why string) { s.blocked = why }

// Blocked returns why the stream's topic can't be written; empty if it can.
func (s *stops) Blocked() string { return s.blocked }

// HaltedBy returns the code that halted the stream; empty if it is not halted.
func (s *stops) HaltedBy() schema.Code {
	if s.halted == nil {
		return ""
	}
	return s.halted.Code
}

// KeyRefused reports whether the stream is halted until it is resumed, or started with
// the former key of its hidden columns.
func (s *stops) KeyRefused() bool { return s.HaltedBy() == schema.PrivacyKey }

// exclusive reports whether the stream is halted because to_date looks exclusive.
func (s *stops) exclusive() bool { return s.HaltedBy() == codeExclusive }

// halt prevents calls of the stream until then, and allows one at a time afterwards
// until the halt ends.
func (s *stops) halt(code schema.Code, detail string, now, until time.Time) {
	s.halted = &ledger.Halt{Code: code, Detail: detail, Since: now, Until: until}
}

// haltUntil changes the end of a halt.
func (s *stops) haltUntil(until time.Time) {
	halt := *s.halted
	halt.Until = until
	s.halted = &halt
}

// endHalt ends a halt with that code, and reports whether there was one.
func (s *stops) endHalt(code schema.Code) bool {
	if s.halted == nil || s.halted.Code != code {
		return false
	}
	s.halted = nil
	return true
}

// stopped returns why the stream makes no calls now.
func (s *stops) stopped(now time.Time) schema.Wait {
	switch {
	case s.paused:
		return schema.Wait{For: schema.WaitPaused}
	case s.blocked != "" || s.KeyRefused():
		return schema.Wait{For: schema.WaitHalted}
	case s.halted != nil && s.halted.Until.After(now):
		return schema.Wait{For: schema.WaitHalted, Until: s.halted.Until}
	}
	return schema.Wait{}
}

// detail returns why the stream is halted, or why its topic can't be written.
func (s *stops) detail() string {
	if s.halted != nil {
		return s.halted.Detail
	}
	return s.blocked
}

// shown returns the text of a halt, or of a topic that can't be written, for the
// status; nil without either.
func (s *stops) shown(now time.Time) *string {
	var why string
	switch {
	case s.halted != nil && (s.halted.Until.After(now) || s.KeyRefused()):
		why = s.halted.Detail
	case s.blocked != "":
		why = s.blocked
	default:
		return nil
	}
	return &why
}
