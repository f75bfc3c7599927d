package pipeline

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/produce"
	"dfinery-kafka/schema"
)

// stream is a stream with all that its owner knows of it. Owned by the tenure's loop.
type stream struct {
	Stream
	days     map[schema.Day]*day
	kept     ledger.Stream // as the ledger has it, or will at the next checkpoint
	lastCall time.Time
	// blocked says why the topic can't be written now; empty when it can.
	blocked string
	probed  bool       // since this process started
	warned  schema.Day // when its days about to be lost were last warned of
	senders []*produce.Sender
}

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
	// Of the slices since narrowing began: how many failed, how many of them since the last one that was had, and whether one was.
	sliceFails int
	sliceRow   int
	sliceDone  bool
	// set is what is published of the day; nil when it is not loaded. While an export runs it is that export's.
	set *ledger.Set
	// rewrite says that the fingerprints of the set are to be written anew as one run: the day is settled, or some were gone.
	rewrite bool
	// prints are published, but not in the ledger yet.
	prints [][]schema.Fingerprint
}

func (d *day) busy() bool { return d.export != nil || d.ended != nil }

// refused tells whether the API itself called the day out of reach.
func (d *day) refused() bool {
	return d.record.Error != nil && d.record.Error.Code == schema.ExceedDateRangeLimit
}

// loaded is what is published of the day, or nil when that is not loaded. The caller holds the export that runs.
func (d *day) loaded() *ledger.Set {
	if d.export != nil {
		return d.export.set
	}
	return d.set
}

// anew is the set whose fingerprints, the new ones included, the next checkpoint writes as one run; nil when it writes only the new ones.
func (d *day) anew() *ledger.Set {
	if !d.rewrite {
		return nil
	}
	return d.loaded()
}

// day returns the stream's day, made if need be.
func (s *stream) day(at schema.Day) *day {
	d := s.days[at]
	if d == nil {
		d = &day{name: ledger.DayName{Stream: s.Name, Day: at}, record: ledger.Day{State: ledger.Pending, Generation: 1}}
		s.days[at] = d
	}
	return d
}
