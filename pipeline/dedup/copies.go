package dedup

import "slices"

// copies are the copies of one fingerprint that do not fit into its slot.
type copies struct {
	first    int   // copies 0 to first-1 are published
	beyond   []int // the other published ones, ascending, each larger than first
	observed int   // copies that the current export has read
}

// copiesOf decodes the copies from a slot's byte.
func copiesOf(c uint8) copies {
	if c >= single {
		return copies{beyond: []int{int(c - single)}}
	}
	return copies{first: int(c / published), observed: int(c & observedMask)}
}

// slot is the byte that encodes the copies, or elsewhere.
func (c *copies) slot() uint8 {
	switch {
	case len(c.beyond) == 0 && c.first <= maxCopies && c.observed <= maxCopies:
		return uint8(c.first*published + c.observed)
	case len(c.beyond) == 1 && c.first == 0 && c.observed == 0 && c.beyond[0] <= maxCopies:
		return uint8(single + c.beyond[0])
	}
	return elsewhere
}

func (c *copies) has(n int) bool {
	if n < c.first {
		return true
	}
	_, found := slices.BinarySearch(c.beyond, n)
	return found
}

// put marks copy n as published. It returns false if it already was.
func (c *copies) put(n int) bool {
	if n < c.first {
		return false
	}
	if n > c.first {
		at, found := slices.BinarySearch(c.beyond, n)
		if !found {
			c.beyond = slices.Insert(c.beyond, at, n)
		}
		return !found
	}
	c.first++
	joined := 0
	for joined < len(c.beyond) && c.beyond[joined] == c.first {
		c.first++
		joined++
	}
	c.beyond = slices.Delete(c.beyond, 0, joined)
	return true
}
