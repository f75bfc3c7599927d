package ledger

import "slices"

// Confirmed returns the day's record as confirmed by the newest checkpoint. A checkpoint whose
// records needed more than one batch may be incomplete after a crash: the fingerprints that a
// day's record lists after the checkpoint's mark, and the rows counted with them, are read
// again by recovery. So the last record without them is valid, except for the number of calls,
// which were made.
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
	return s.cut(newest, rows) // compaction has removed the others
}

// ahead reports whether the record lists fingerprints that the newest checkpoint does not confirm.
func (s *State) ahead(d *Day, rows string) bool {
	return s.Checkpoint == nil || !slices.Equal(s.cut(*d, rows).Fingerprints, d.Fingerprints)
}

// cut removes what no checkpoint confirms. Without a checkpoint the topics are read from their
// start, and all rows are counted again.
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
