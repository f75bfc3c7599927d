package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// Day is one day of a stream.
type Day struct {
	name            ledger.DayName
	record          ledger.Day
	changed         bool          // since the last checkpoint
	running         bool          // a call or a replay of dead letters is in progress
	publishedBefore int           // rows in the topic when the current call began
	requested       bool          // requested by a command, or to verify a probe
	took            time.Duration // duration of the last successful export
	failed          int           // failed calls of this process
	done            bool          // exported by this process
	slices          slicing
	cut             truncation
}

// Progress adds the rows that were published, dead-lettered, and lost from the ledger
// since the last call of Progress.
func (d *Day) Progress(published, bad, lost int) {
	d.changed = d.changed || published != 0 || bad != 0 || lost != 0
	if lost > 0 {
		d.record.Forget(lost)
		d.publishedBefore = max(0, d.publishedBefore-lost)
	}
	d.record.Published += published
	d.record.Bad += bad
}

// Recover adds what the topics have of the day after the last checkpoint: rows, dead
// letters, and the highest number of a call.
func (d *Day) Recover(published, bad, exports int) {
	d.record.Published += published
	d.record.Bad += bad
	d.record.Exports = max(d.record.Exports, exports)
	d.changed = true
}

// Recreate begins a record for a day whose record was lost: calls before from belong to
// a former generation.
func (d *Day) Recreate(from int) { d.record.From = from }

// SetFingerprints records where the ledger has the fingerprints of the day's rows.
func (d *Day) SetFingerprints(ranges []ledger.Range) { d.record.Fingerprints, d.changed = ranges, true }

// isOutOfReach reports whether the API said that the day is out of reach, and has not
// exported it since.
func (d *Day) isOutOfReach() bool {
	return d.record.Error != nil && d.record.Error.Code == schema.ExceedDateRangeLimit
}

// keepOutOfReach keeps the API's answer that the day is out of reach when another failure
// follows. Only a success clears it: otherwise the day would be retried, answered
// like that and reported as lost again. was is the previous failure.
func (d *Day) keepOutOfReach(was *ledger.Fault) {
	is := d.record.Error
	ended := d.record.State == ledger.Gap || d.record.State == ledger.Settled && !d.record.Final
	if !ended || was == nil || was.Code != schema.ExceedDateRangeLimit || is == nil || is.Code == was.Code {
		return
	}
	kept := *was
	kept.Attempts, kept.Until = is.Attempts, is.Until
	d.record.Error = &kept
}

// endWait ends the day's wait after a failure. It copies the fault, as readers of the
// record may hold it.
func (d *Day) endWait(now time.Time) {
	if was := d.record.Error; was != nil && was.Until.After(now) {
		is := *was
		is.Until = now
		d.record.Error, d.changed = &is, true
	}
}

// attempt returns the number of calls since the last success, including the next one.
func (d *Day) attempt() int {
	if d.record.Error == nil {
		return 1
	}
	return d.record.Error.Attempts + 1
}

// hadSuccess reports whether the day was exported in this generation.
func (d *Day) hadSuccess() bool {
	return d.record.State == ledger.Open || d.record.State == ledger.Settled
}

// forgetRows begins a new generation: what was published before no longer counts.
func (d *Day) forgetRows(by string) {
	r := &d.record
	r.Generation++
	r.From, r.AgainBy = r.Exports+1, by
	r.Published, r.Bad, r.Rows, r.Missing = 0, 0, 0, 0
	r.Fingerprints, r.MissingEvents, r.MissingTried, r.Slices = nil, nil, nil, nil
	d.slices, d.cut, d.changed = slicing{}, truncation{}, true
}

// publishAgain begins a new generation, which is exported from the start. A gap stays a
// gap until a call succeeds.
func (d *Day) publishAgain(by string) {
	d.forgetRows(by)
	d.move(restarts)
	if d.record.State != ledger.Gap {
		d.record.Error = nil
	}
	d.record.LastLook = false
}
