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

// attempt counts the calls since the last success, this one included.
func (d *day) attempt() int {
	if d.record.Error == nil {
		return 1
	}
	return d.record.Error.Attempts + 1
}

// newGeneration starts a new generation of the day: what was published before no longer counts.
func (d *day) newGeneration(by string) {
	r := &d.record
	r.Generation++
	r.From, r.AgainBy = r.Exports+1, by
	r.Published, r.Bad, r.Rows, r.Missing = 0, 0, 0, 0
	r.Fingerprints, r.MissingEvents = nil, nil
	r.State, r.Final, r.LastLook = ledger.Pending, false, false
	r.Error = nil
	d.rows, d.changed = dedup.Day{}, true
}
