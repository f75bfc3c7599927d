package pipeline

import (
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// day is one day of a stream. Owned by the tenure's loop.
type day struct {
	name    ledger.DayName
	record  ledger.Day
	changed bool // since the last checkpoint
	export  *export
	ended   *export       // an export that the next checkpoint enters into the record
	took    time.Duration // of the last successful export
	wanted  bool          // a command asked for it
	tried   int           // failed calls since this process started
	done    bool          // exported with success since this process started
	slices  slicing
	// rows are the published ones. Whoever uses them holds the export that runs.
	rows dedup.Day
}

func (d *day) busy() bool { return d.export != nil || d.ended != nil }

// refused tells whether the API itself called the day out of reach.
func (d *day) refused() bool {
	return d.record.Error != nil && d.record.Error.Code == schema.ExceedDateRangeLimit
}

// keepRefusal keeps the API's word that the day is out of reach when another failure follows it, or the day would be tried again without
// end: only a success is news of it. was is the failure before.
func (d *day) keepRefusal(was *ledger.Fault) {
	is := d.record.Error
	ended := d.record.State == ledger.Gap || d.record.State == ledger.Settled && !d.record.Final
	if !ended || was == nil || was.Code != schema.ExceedDateRangeLimit || is == nil || is.Code == was.Code {
		return
	}
	kept := *was
	kept.Attempts, kept.Until = is.Attempts, is.Until
	d.record.Error = &kept
}

// attempt counts the calls since the last success, this one included.
func (d *day) attempt() int {
	if d.record.Error == nil {
		return 1
	}
	return d.record.Error.Attempts + 1
}

// turnedDown tells whether the API, asked after then, called the day out of reach, and was believed.
func (d *day) turnedDown(then time.Time) bool {
	ended := d.record.State == ledger.Gap || d.record.State == ledger.Settled
	return ended && d.refused() && d.record.Error.At.After(then)
}

// exportedAfter tells whether this generation of the day was exported with success by a call that began after then.
func (d *day) exportedAfter(then time.Time) bool {
	ended := d.record.State == ledger.Open || d.record.State == ledger.Settled
	return ended && d.record.LastSuccess != nil && d.record.LastSuccess.After(then)
}

// newGeneration starts a new generation of the day: what was published before no longer counts. A gap stays one until it is exported.
func (d *day) newGeneration(by string) {
	d.forgetRows(by)
	r := &d.record
	if r.State != ledger.Gap {
		r.State, r.Error = ledger.Pending, nil
	}
	r.Final, r.LastLook = false, false
}

// forgetRows starts a new generation of the day, and leaves its state.
func (d *day) forgetRows(by string) {
	r := &d.record
	r.Generation++
	r.From, r.AgainBy = r.Exports+1, by
	r.Published, r.Bad, r.Rows, r.Missing = 0, 0, 0, 0
	r.Fingerprints, r.MissingEvents, r.MissingTried, r.Slices = nil, nil, nil, nil
	d.rows, d.slices, d.changed = dedup.Day{}, slicing{}, true
}
