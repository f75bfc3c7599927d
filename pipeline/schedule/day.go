package schedule

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// day is one day of a stream.
type day struct {
	name      ledger.DayName
	record    ledger.Day
	changed   bool          // since the last checkpoint
	running   bool          // a call, or the replay of dead letters, is under way
	published int           // rows of the topic that the call under way could find again
	requested bool          // by a command, or to verify a probe
	took      time.Duration // by the last successful export
	failed    int           // calls of this process that failed
	done      bool          // exported by this process
	slices    slicing
	cut       ledger.Truncation // as the service's record has it
}

// refused reports whether the last answer of the API was that the day is out of reach.
func (d *day) refused() bool {
	return d.record.Error != nil && d.record.Error.Code == schema.ExceedDateRangeLimit
}

// keepRefusal keeps the API's answer that the day is out of reach when another failure follows. Only a success revokes it: else the day would
// be tried again, refused again and reported as lost again. was is the failure before.
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

// attempt counts the calls since the last success, the next one included.
func (d *day) attempt() int {
	if d.record.Error == nil {
		return 1
	}
	return d.record.Error.Attempts + 1
}

// hadSuccess reports whether the day was exported, in this generation.
func (d *day) hadSuccess() bool {
	return d.record.State == ledger.Open || d.record.State == ledger.Settled
}

// forgetRows begins a new generation: what was published before no longer counts.
func (d *day) forgetRows(by string) {
	r := &d.record
	r.Generation++
	r.From, r.AgainBy = r.Exports+1, by
	r.Published, r.Bad, r.Rows, r.Missing = 0, 0, 0, 0
	r.Fingerprints, r.MissingEvents, r.MissingTried, r.Slices = nil, nil, nil, nil
	d.slices, d.cut, d.changed = slicing{}, ledger.Truncation{}, true
}

// restart begins a new generation that is exported from the start. A gap stays one until a call succeeds.
func (d *day) restart(by string) {
	d.forgetRows(by)
	d.move(restarts)
	if d.record.State != ledger.Gap {
		d.record.Error = nil
	}
	d.record.LastLook = false
}
