package profiles

import (
	"time"

	"dfinery-kafka/pipeline/ledger"
)

// The service's record is a single record in Kafka, so what it lists is bounded. Beyond
// a week of hourly snapshots, and some, what belongs to the same hour is merged.
const (
	maxDeletions = 200
	maxTimes     = 200
)

// boundDeletions merges deletes. Merged ones count until the last of them is older than
// Window.
func boundDeletions(list []ledger.Deletion) []ledger.Deletion {
	if len(list) <= maxDeletions {
		return list
	}
	merged := list[:1]
	for _, d := range list[1:] {
		if last := &merged[len(merged)-1]; hour(last.At) == hour(d.At) {
			d.N += last.N
			*last = d
			continue
		}
		merged = append(merged, d)
	}
	return merged
}

// boundTimes moves marks to the last snapshot of their hour, which lacked their keys,
// too: they are due an hour later at most.
func (d *Decision) boundTimes() {
	times := d.Record.Absent.Times
	if len(times) <= maxTimes {
		return
	}
	last := map[int64]int{} // snapshot by hour
	for n, at := range times {
		last[hour(at)] = max(last[hour(at)], n)
	}
	kept := map[int]time.Time{}
	for _, m := range d.Marks {
		m.N = last[hour(times[m.N])]
		kept[m.N] = times[m.N]
	}
	d.Record.Absent.Times = kept
}

func hour(at time.Time) int64 { return at.Unix() / int64(time.Hour/time.Second) }
