package ledger

import "math/bits"

// segment is the part of a Set's table for the fingerprints with one leading byte.
//
// Its fingerprints ascend. One stands at its home, the place that its value has in proportion to the segment, or behind it with no
// free slot between the two: so a search ends at the first free slot or larger one, and growing is one walk in order.
type segment struct {
	slots []slot
	used  int
	homes int // slots has room behind the last home for those that were pushed on
}

const (
	// Segments begin with firstHomes to twice as many, so that they do not all grow at the same time.
	firstHomes = 16
	// A segment grows by a sixth when it is seven eighths full: by less, there is more garbage; by more, more free slots.
	full, outOf = 7, 8
	// pushed is the room behind the last home; a segment that runs out of it grows sooner.
	pushed = 24
)

func (g *segment) home(k slot) int {
	hi, _ := bits.Mul64(k.hi&^0xff|k.lo>>56, uint64(g.homes))
	return int(hi)
}

// find returns the slot that holds k, or the one at which to insert it.
func (g *segment) find(k slot) (at int, found bool) {
	if g.homes == 0 {
		return 0, false
	}
	i := g.home(k)
	for i < len(g.slots) && g.slots[i].count() != 0 && g.slots[i].less(k) {
		i++
	}
	return i, i < len(g.slots) && g.slots[i].count() != 0 && g.slots[i].same(k) && g.slots[i].lo == k.lo
}

// insert puts k, which is not there, at the slot that find named, published and met once.
func (g *segment) insert(at int, k slot) {
	for {
		if g.used*outOf < g.homes*full {
			free := at
			for free < len(g.slots) && g.slots[free].count() != 0 {
				free++
			}
			if free < len(g.slots) {
				copy(g.slots[at+1:free+1], g.slots[at:free])
				k.hi |= once
				g.slots[at] = k
				g.used++
				return
			}
		}
		g.grow()
		at, _ = g.find(k)
	}
}

// reserve makes room for about n more; a segment that gets more than its share grows again.
func (g *segment) reserve(n int) {
	// The shares of a large set differ by less than a 32nd.
	if homes := (g.used + n + n/32) * outOf / full; homes > g.homes {
		g.resize(max(firstHomes, homes+1))
	}
}

func (g *segment) grow() { g.resize(g.homes + g.homes/6 + 1) }

// resize gives the segment that many homes, or more when the last ones would find no room.
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

// take copies all of old in order; false when the last ones find no room.
func (g *segment) take(old *segment) bool {
	next := 0
	for _, k := range old.slots {
		if k.count() == 0 {
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
