package dedup

import "dfinery-kafka/schema"

// Load publishes the rows of the ledger: fingerprints that are in b one behind
// the other, each for the lowest copy that is not published yet.
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
	if k := &seg.slots[i]; k.copies() < mostCopies*published {
		s.rows++
		k.hi += published
		return
	}
	s.Put(f, s.Next(f))
}

// LoadCopy publishes a row of the ledger that has its copy number with it. The
// ledger has each row once: if that copy is published, it is another one, as a
// release without copy numbers counts them.
func (s *Set) LoadCopy(c Copy) {
	if !s.Put(c.Fingerprint, c.Number) {
		s.Put(c.Fingerprint, s.Next(c.Fingerprint))
	}
}
