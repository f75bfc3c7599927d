package dedup

import "math/bits"

// segment is the part of a Set's table for the fingerprints with one leading byte.
//
// The fingerprints are sorted. Each is at its home, the slot proportional to its
// value, or after it without a free slot in between. So a search ends at the first
// slot that is free or larger, and growing is a single pass in order.
type segment struct {
	slots []slot
	used  int
	homes int // fewer than slots: fingerprints displaced from the last homes come after them
}

const (
	// Segments start with firstHomes to twice as many, so that they do not all
	// grow at the same time.
	firstHomes = 16
	// A segment grows by a sixth when it is seven eighths full. A smaller step
	// makes more garbage, a larger one leaves more slots free.
	full, outOf = 7, 8
	// pushed is the number of slots after the last home. A segment that runs out of
	// them grows sooner.
	pushed = 24
)

func (g *segment) home(k slot) int {
	hi, _ := bits.Mul64(k.hi&^0xff|k.lo>>56, uint64(g.homes))
	return int(hi)
}

// find returns the index of the slot that contains k, or where to insert it.
func (g *segment) find(k slot) (at int, found bool) {
	if g.homes == 0 {
		return 0, false
	}
	i := g.home(k)
	for i < len(g.slots) && g.slots[i].copies() != 0 && g.slots[i].less(k) {
		i++
	}
	return i, i < len(g.slots) && g.slots[i].copies() != 0 && g.slots[i].same(k) && g.slots[i].lo == k.lo
}

// insert adds k, which the segment does not have, with its copies, at the index
// that find returned for it.
func (g *segment) insert(at int, k slot) {
	for {
		if g.used*outOf < g.homes*full {
			free := at
			for free < len(g.slots) && g.slots[free].copies() != 0 {
				free++
			}
			if free < len(g.slots) {
				copy(g.slots[at+1:free+1], g.slots[at:free])
				g.slots[at] = k
				g.used++
				return
			}
		}
		g.grow()
		at, _ = g.find(slot{k.hi &^ copiesMask, k.lo})
	}
}

// reserve makes room for about n more. A segment that gets more grows again.
func (g *segment) reserve(n int) {
	// The segments of a large set differ by less than a 32nd.
	if homes := (g.used + n + n/32) * outOf / full; homes > g.homes {
		g.resize(max(firstHomes, homes+1))
	}
}

func (g *segment) grow() { g.resize(g.homes + g.homes/6 + 1) }

// resize gives the segment this many homes, or more if there would be no room for
// the last fingerprints after them.
func (g *segment) resize(homes int) {
	for {
		next := segment{homes: homes, slots: make([]slot, homes+pushed)}
		if next.take(g) {
			*g = next
			return
		}
		homes += homes/16 + 1
	}
}

// take copies all of old in order. It returns false if there is no room for the
// last ones.
func (g *segment) take(old *segment) bool {
	next := 0
	for _, k := range old.slots {
		if k.copies() == 0 {
			continue
		}
		at := max(next, g.home(k))
		if at == len(g.slots) {
			return false
		}
		g.slots[at] = k
		next = at + 1
	}
	g.used = old.used
	return true
}

// sweep frees the slots without copies, and moves the others back to where a search
// finds them.
func (g *segment) sweep() {
	next := 0
	g.used = 0
	for i, k := range g.slots {
		g.slots[i] = slot{}
		if k.copies() == 0 {
			continue
		}
		at := max(next, g.home(k))
		g.slots[at] = k
		next = at + 1
		g.used++
	}
}
