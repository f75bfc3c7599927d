package ledger

import "slices"

// Confirmed is the day's record as far as the newest checkpoint confirms it. A checkpoint whose records took more than one batch may have
// been cut short: the fingerprints that a day's record names behind the checkpoint's mark, and the rows that it counts with them, are met
// again in the tails of the topics. So the last record without them is valid, except for its calls, which were made.
func (s *State) Confirmed(n DayName, rows string) Day {
	newest := *s.Days[n]
	if !s.ahead(&newest, rows) {
		return newest
	}
	former := s.Since[n]
	for i := len(former) - 1; i >= 0; i-- {
		if d := *former[i]; d.Generation == newest.Generation && !s.ahead(&d, rows) {
			d.Exports, d.FirstExport, d.LastExport = newest.Exports, newest.FirstExport, newest.LastExport
			return d
		}
	}
	return s.cut(newest, rows) // compaction has taken the others
}

// ahead reports whether the record names fingerprints that the newest checkpoint does not confirm.
func (s *State) ahead(d *Day, rows string) bool {
	return s.Checkpoint == nil || !slices.Equal(s.cut(*d, rows).Fingerprints, d.Fingerprints)
}

// cut drops what no checkpoint confirms. Without one the topics are read from their start, and all rows are counted again.
func (s *State) cut(d Day, rows string) Day {
	if s.Checkpoint == nil {
		d.Fingerprints, d.Published, d.Bad = nil, 0, 0
		return d
	}
	for _, m := range s.Checkpoint.Partitions {
		if m.Topic == rows {
			d.Fingerprints = Cut(d.Fingerprints, m.Partition, m.Next)
		}
	}
	return d
}
