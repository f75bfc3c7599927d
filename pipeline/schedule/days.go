package schedule

import (
	"maps"
	"slices"
	"time"

	"dfinery-kafka/schema"
)

// days are the days of a stream that have a record.
type days map[schema.Day]*Day

// inOrder returns the days, oldest first.
func (l days) inOrder() []schema.Day { return slices.Sorted(maps.Keys(l)) }

// running reports whether an export of any day is in progress.
func (l days) running() bool {
	for _, d := range l {
		if d.running {
			return true
		}
	}
	return false
}

// anyPublished reports whether any day has rows in the topic.
func (l days) anyPublished() bool {
	for _, d := range l {
		if d.record.Published > 0 {
			return true
		}
	}
	return false
}

// lastExport returns the highest number of an export of any day.
func (l days) lastExport() (last int) {
	for _, d := range l {
		last = max(last, d.record.Exports)
	}
	return last
}

// exportedSince reports whether a day other than d was exported successfully since
// then.
func (l days) exportedSince(then time.Time, d *Day) bool {
	for _, other := range l {
		if last := other.record.LastSuccess; other != d && last != nil && last.After(then) {
			return true
		}
	}
	return false
}

// endWaits ends the waits after failures.
func (l days) endWaits(now time.Time) {
	for _, d := range l {
		d.endWait(now)
	}
}
