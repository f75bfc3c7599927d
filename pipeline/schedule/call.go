package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Begin notes a call that is about to be made, and returns it. Its number has to be in
// the ledger before it is made.
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
	d.running, d.published = true, r.Published
	call := schema.Export{
		Service: s.policy.Service, Stream: st.Name, Kind: st.Kind, Filter: st.Filter, Key: st.Key,
		Day: due.Day, N: r.Exports, Attempt: d.attempt(), Probe: due.Probe,
		Charset: st.charset.of(st.hadRows()),
	}
	if !due.Probe {
		call.Filter, call.Slice = st.nextFilter(d, now)
		call.MayBeEmpty = st.days.mayBeEmpty(d, call.Slice)
	}
	return call
}

// Renumber gives the call of the day that is about to be made a number above another
// one, and returns it.
func (d *Day) Renumber(above int) int {
	d.record.Exports, d.changed = max(d.record.Exports, above+1), true
	return d.record.Exports
}

// Occupy notes that dead letters of the day are replayed: meanwhile it is not exported.
// Apply ends it.
func (d *Day) Occupy() { d.running = true }

// Outcome is how a call, or the replay of dead letters, has ended.
type Outcome struct {
	Name    ledger.DayName
	Call    schema.Export // as Begin returned it
	Started time.Time
	Took    time.Duration
	// Failure is why the API or the link failed; nil for a success. Lettered says that
	// it has got a dead letter.
	Failure  *schema.Failure
	Lettered bool
	// Aborted says that it was ended by Kafka, by us, or was no call: nothing follows
	// from it for the day.
	Aborted bool

	// Of a success: its good rows, those of them that were published before, its
	// header, and the names of events that are known now.
	Rows, Known int
	Bad         int              // rows that can't be published, all of which StillBad has
	StillBad    *ledger.StillBad // nil: they are too many
	Columns     *schema.Columns
	EventNames  []string
	Properties  []string // of UnmetProperties, those that rows have had
	Charset     string   // to remember for the stream; empty: nothing new

	Jitter float64 // a random number from 0 to 1, which spreads retries
}

// Apply notes the end of a call. Progress has counted its rows.
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
		step.judgeProbe()
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
	cut    int // other days, of all streams, that are cut now and not at their end
	events []Event
}

// tell adds an event of the day.
func (s *step) tell(e Event) {
	e.Day = s.d.name.Day
	s.tellStream(e)
}

// tellStream adds an event of the stream as a whole.
func (s *step) tellStream(e Event) {
	e.Stream = s.st.Name
	s.events = append(s.events, e)
}

// backoff is how long to wait after the n-th failure in a row: from half to the whole
// of a time that doubles.
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
