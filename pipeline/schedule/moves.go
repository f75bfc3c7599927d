package schedule

import "dfinery-kafka/pipeline/ledger"

// cause is what may change the state of a day.
type cause string

const (
	exportedFinally  cause = "exported by calls that all began after the day's end and lookback, no event missing"
	exported         cause = "exported otherwise"
	leavesReach      cause = "leaves the API's reach, by date or because the API refuses it"
	leavesCut        cause = "leaves the API's reach, or is a snapshot whose day is over, and its last answer was cut"
	leavesStart      cause = "START in days has moved on, and the day is not due"
	snapshotPasses   cause = "the day of a snapshot is over"
	reopens          cause = "ended too early: the clock was ahead, or the lookback or START is longer now"
	restarts         cause = "published again: backfill --again, or the stream's topic or properties have changed"
	exclusiveSuspect cause = "it has no rows, and to_date looks exclusive"
)

// state is a state with its member "final": no later export can change the day.
type state struct {
	ledger.DayState
	final bool
}

// moves is what each cause does to a day in each state. A state that a cause does not name stays as it is, "final" included.
// The table in the README is this one.
var moves = map[cause]map[ledger.DayState]state{
	exportedFinally: {
		ledger.Pending: {ledger.Settled, true},
		ledger.Open:    {ledger.Settled, true},
		ledger.Settled: {ledger.Settled, true},
		ledger.Gap:     {ledger.Settled, true},
	},
	exported: {
		ledger.Pending: {ledger.Open, false},
		ledger.Gap:     {ledger.Open, false},
	},
	leavesReach: {
		ledger.Pending: {ledger.Gap, false},
		ledger.Open:    {ledger.Settled, false},
	},
	leavesCut: {
		ledger.Pending: {ledger.Settled, false},
		ledger.Open:    {ledger.Settled, false},
	},
	leavesStart: {
		ledger.Open: {ledger.Settled, false},
	},
	snapshotPasses: {
		ledger.Open: {ledger.Settled, true},
	},
	reopens: {
		ledger.Gap:     {ledger.Pending, false},
		ledger.Settled: {ledger.Open, false},
	},
	restarts: {
		ledger.Open:    {ledger.Pending, false},
		ledger.Settled: {ledger.Pending, false},
	},
	exclusiveSuspect: {
		ledger.Open:    {ledger.Pending, false},
		ledger.Settled: {ledger.Pending, false},
	},
}

// move changes the day's state. Nothing else assigns it.
func (d *day) move(why cause) (moved bool) {
	was := state{d.record.State, d.record.Final}
	is, ok := moves[why][was.DayState]
	if !ok || is == was {
		return false
	}
	d.record.State, d.record.Final, d.changed = is.DayState, is.final, true
	return true
}
