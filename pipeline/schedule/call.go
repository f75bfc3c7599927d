package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Begin records a call that is about to be made, and returns it. The ledger must have
// its number before the call is made.
func (s *State) Begin(due Due, now time.Time) schema.Export {
	st := s.Stream(due.Stream)
	d := st.Day(due.Day)
	r := &d.record
	if st.Changes {
		r.Exports = st.LastExport()
	}
	r.Exports++
	r.LastExport = &now
	if r.FirstExport == nil {
		r.FirstExport = &now
	}
	st.lastCall = now
	d.running, d.publishedBefore = true, r.Published
	call := schema.Export{
		Service: s.policy.Service, Stream: st.Name, Kind: st.Kind, Filter: st.Filter, Key: st.Key,
		Day: due.Day, N: r.Exports, Attempt: d.attempt(), Probe: due.Probe,
		Charset: st.charset.of(st.everPublished()),
	}
	if !due.Probe {
		d.sliceMissing(now)
		call.Filter, call.Slice = st.filterOf(d)
		call.MayBeEmpty = st.days.mayBeEmpty(d, call.Slice)
	}
	return call
}

// Renumber gives the day's next call a number greater than above, and returns it.
func (d *Day) Renumber(above int) int {
	d.record.Exports, d.changed = max(d.record.Exports, above+1), true
	return d.record.Exports
}

// Occupy marks the day as running while its dead letters are replayed, so that it is
// not exported. Apply ends it.
func (d *Day) Occupy() { d.running = true }

// Outcome is the result of a call, or of a replay of dead letters.
type Outcome struct {
	Name    ledger.DayName
	Call    schema.Export // the result of Begin
	Started time.Time
	Took    time.Duration
	// Failure is the failure of the API or the connection; nil after a success.
	// Lettered: a dead letter was published for it.
	Failure  *schema.Failure
	Lettered bool
	// Aborted: the call was ended by Kafka or by this process, or there was none. The
	// day is unchanged.
	Aborted bool

	// After a success: its valid rows, how many of these had been published before, its
	// header, and the known event names.
	Rows, Known int
	Bad         int              // rows that can't be published; StillBad lists all of them
	StillBad    *ledger.StillBad // nil: too many
	Columns     *schema.Columns
	EventNames  []string
	Properties  []string // those of UnseenProperties that rows had
	Charset     string   // to record for the stream; empty: unchanged

	Jitter float64 // a random number from 0 to 1 that spreads retries
}

// Apply records the end of a call, whose rows Progress has counted.
func (s *State) Apply(o *Outcome, now time.Time) []Event {
	st := s.Stream(o.Name.Stream)
	d := st.Day(o.Name.Day)
	d.running, d.changed = false, true
	step := step{policy: &s.policy, st: st, d: d, o: o, now: now, cut: s.cutDays(d)}
	if o.Lettered && o.Failure != nil {
		d.cut.noteLetter(o.Failure)
	}
	switch {
	case o.Aborted || o.Failure != nil && o.Failure.Class == schema.Cancelled:
	case o.Failure == nil && o.Call.Probe:
		step.probeSucceeded()
	case o.Failure == nil && o.Call.Slice:
		step.sliceDone()
	case o.Failure == nil:
		step.succeed()
	case o.Call.Probe:
		step.probeFailed()
	default:
		step.fail()
	}
	return step.events
}

// step applies one outcome to the state.
type step struct {
	policy *Policy
	st     *Stream
	d      *Day
	o      *Outcome
	now    time.Time
	cut    int // other days of all streams whose last answer was cut, except at its end
	events []Event
}

// emit adds an event of the day.
func (s *step) emit(e Event) {
	e.Day = s.d.name.Day
	s.emitStream(e)
}

// emitStream adds an event of the stream as a whole.
func (s *step) emitStream(e Event) {
	e.Stream = s.st.Name
	s.events = append(s.events, e)
}

// backoff returns the wait after the n-th consecutive failure: exponential, with a
// jitter of half the wait.
func (s *step) backoff(n int) time.Duration {
	wait := s.policy.RetryBackoff
	for range n - 1 {
		if wait *= 2; wait >= s.policy.RetryMaxBackoff {
			wait = s.policy.RetryMaxBackoff
			break
		}
	}
	return wait/2 + time.Duration(s.o.Jitter*float64(wait/2))
}
