package ledger

// Range is a part of the rows topic: partition, first offset, and the offset after the last record.
type Range [3]int64

// Extend adds [from, to) of a partition, and joins it to the last range if there are only few
// records in between. Those records are then read as well, so it joins only ranges that end at
// since or later, from where on every record is in the range of its day.
func Extend(ranges []Range, partition int, since, from, to int64) []Range {
	const near = 256
	if n := len(ranges); n > 0 {
		last := &ranges[n-1]
		if last[0] == int64(partition) && last[2] >= min(since, from) && from >= last[1] && from <= last[2]+near {
			last[2] = max(last[2], to)
			return ranges
		}
	}
	return append(ranges, Range{int64(partition), from, to})
}

// Cut removes what is at or after next in the partition: fingerprints that no checkpoint has
// confirmed.
func Cut(ranges []Range, partition int, next int64) []Range {
	kept := make([]Range, 0, len(ranges))
	for _, r := range ranges {
		if r[0] == int64(partition) {
			r[2] = min(r[2], next)
		}
		if r[1] < r[2] {
			kept = append(kept, r)
		}
	}
	return kept
}
