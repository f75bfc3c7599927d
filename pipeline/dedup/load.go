package dedup

import "dfinery-kafka/schema"

// Load adds published rows from the ledger: b contains consecutive fingerprints, each
// of which stands for the lowest copy that is not yet published.
func (s *Set) Load(b []byte) {
	var next [16]schema.Fingerprint
	for len(b) > 0 {
		n := 0
		for n < len(next) && len(b) > 0 {
			n++
			b = b[copy(next[n-1][:], b):]
		}
		s.Prefetch(next[:n])
		for i := range next[:n] {
			s.loadNext(next[i])
		}
	}
}

func (s *Set) loadNext(f schema.Fingerprint) {
	seg := &s.segments[f[0]]
	i, found := seg.find(slotOf(f))
	if !found {
		s.rows++
		s.insert(f, i, published)
		return
	}
	if k := &seg.slots[i]; k.copies() < maxCopies*published {
		s.rows++
		k.hi += published
		return
	}
	s.Put(f, s.Next(f))
}

// LoadCopy adds a published row from the ledger with its copy number. The ledger has
// each row once: if that copy is already published, the record is of another copy,
// as counted by a release without copy numbers.
func (s *Set) LoadCopy(c Copy) {
	if !s.Put(c.Fingerprint, c.Number) {
		s.Put(c.Fingerprint, s.Next(c.Fingerprint))
	}
}
