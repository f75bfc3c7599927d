package dedup

import "dfinery-kafka/schema"

// All yields each published copy. The copies of a fingerprint are consecutive, with
// ascending numbers.
func (s *Set) All(yield func(f schema.Fingerprint, copyNumber int) bool) {
	for f, c := range s.each {
		for n := range c.first {
			if !yield(f, n) {
				return
			}
		}
		for _, n := range c.beyond {
			if !yield(f, n) {
				return
			}
		}
	}
}

// inOrder yields each fingerprint as often as it has published copies before the
// first missing one.
func (s *Set) inOrder(yield func(schema.Fingerprint) bool) {
	for f, c := range s.each {
		for range c.first {
			if !yield(f) {
				return
			}
		}
	}
}

// outOfOrder yields the other published copies.
func (s *Set) outOfOrder(yield func(Copy) bool) {
	for f, c := range s.each {
		for _, n := range c.beyond {
			if !yield(Copy{f, n}) {
				return
			}
		}
	}
}

// each yields each fingerprint and its copies.
func (s *Set) each(yield func(schema.Fingerprint, copies) bool) {
	for i := range s.segments {
		for _, k := range s.segments[i].slots {
			c := k.copies()
			if c == 0 {
				continue
			}
			f := k.fingerprint(byte(i))
			of := copiesOf(c)
			if c == elsewhere {
				of = *s.others[f]
			}
			if !yield(f, of) {
				return
			}
		}
	}
}
