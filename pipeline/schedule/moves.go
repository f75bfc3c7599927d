package schedule

import "dfinery-kafka/pipeline/ledger"

// cause is a reason for a change of a day's state.
type cause string

const (
	exportedFinally cause = "exported finally"
	exported        cause = "exported"
	leavesReach     cause = "leaves the reach"
	leavesCut       cause = "leaves it cut"
	leavesStart     cause = "left behind by START"
	snapshotPasses  cause = "snapshot passes"
	reopens         cause = "ended too early"
	restarts        cause = "published again"
	suspected       cause = "to_date suspected"
)

// causes lists all causes with their meaning.
var causes = []struct {
	cause
	meaning string
}{
	{exportedFinally, "by calls that all began after its end and its lookback; no event is missing"},
	{exported, "by other calls"},
	{leavesReach, "it is older than the API's 30 days, or the API says it is out of reach"},
	{leavesCut, "the same, or a snapshot's day is over, and its last answer was cut: the rows before the cut are published"},
	{leavesStart, "`_START` in days back has moved on, and the day is not due any more"},
	{snapshotPasses, "a userprofile stream's day is over: the next snapshot has its rows"},
	{reopens, "the clock was ahead, or the lookback or `_START` is longer now; not a day of which the API says it is out of reach"},
	{restarts, "`backfill --again`, or the stream's topic, properties or hidden columns have changed"},
	{suspected, "no day of the stream has rows, and `to_date` looks exclusive"},
}

// state is a state with its JSON member "final": no later export can change the day.
type state struct {
	ledger.DayState
	final bool
}

// moves is the transition table of the states. A state that a cause does not list stays
// unchanged, including "final". The README's table is generated from it.
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
	suspected: {
		ledger.Open:    {ledger.Pending, false},
		ledger.Settled: {ledger.Pending, false},
	},
}

// move changes the day's state. Nothing else does.
func (d *Day) move(why cause) (moved bool) {
	was := state{d.record.State, d.record.Final}
	is, ok := moves[why][was.DayState]
	if !ok || is == was {
		return false
	}
	d.record.State, d.record.Final, d.changed = is.DayState, is.final, true
	return true
}
