package ledger

import (
	"bytes"
	"math/bits"
)

// segment is the part of a Set's table for the fingerprints with one leading byte.
//
// Its keys ascend. A key stands at its home, the place that its value has in proportion to the segment, or behind it with no free
// slot between the two: so a search ends at the first free slot or larger key, and growing is one walk in order.
type segment struct {
	keys   []key
	counts []byte
	used   int
	homes  int // keys have room behind the last home for those that were pushed on
}

const (
	firstHomes = 16
	// A segment grows by an eighth when it is seven eighths full.
	full, outOf = 7, 8
	// pushed is the room behind the last home; a segment that runs out of it grows sooner.
	pushed = 24
)

func (g *segment) home(k key) int {
	hi, _ := bits.Mul64(k.hi<<8|k.lo>>56, uint64(g.homes))
	return int(hi)
}

// find returns the slot that holds k, or the one at which to insert it.
func (g *segment) find(k key) (slot int, found bool) {
	if g.homes == 0 {
		return 0, false
	}
	i := g.home(k)
	for i < len(g.keys) && g.counts[i] != 0 && g.keys[i].less(k) {
		i++
	}
	return i, i < len(g.keys) && g.counts[i] != 0 && g.keys[i] == k
}

// insert puts k, which is not there, at the slot that find named, published and met once.
func (g *segment) insert(i int, k key) {
	for {
		if g.used*outOf < g.homes*full {
			if free := bytes.IndexByte(g.counts[min(i, len(g.counts)):], 0); free >= 0 {
				copy(g.keys[i+1:i+free+1], g.keys[i:i+free])
				copy(g.counts[i+1:i+free+1], g.counts[i:i+free])
				g.keys[i], g.counts[i] = k, 0x11
				g.used++
				return
			}
		}
		g.grow()
		i, _ = g.find(k)
	}
}

// reserve makes room for about n keys more; a segment that gets more than its share grows again.
func (g *segment) reserve(n int) {
	// The shares of a large set differ by less than a 32nd.
	if homes := (g.used + n + n/32) * outOf / full; homes > g.homes {
		g.resize(max(firstHomes, homes+1))
	}
}

func (g *segment) grow() { g.resize(max(firstHomes, g.homes+g.homes/8+1)) }

// resize gives the segment that many homes, or more when the last keys would find no room.
func (g *segment) resize(homes int) {
	for {
		next := segment{homes: homes, keys: make([]key, homes+pushed), counts: make([]byte, homes+pushed)}
		if next.take(g) {
			*g = next
			return
		}
		homes += homes/8 + 1
	}
}

// take copies all keys of old in order; false when the last ones find no room.
func (g *segment) take(old *segment) bool {
	next := 0
	for i, c := range old.counts {
		if c == 0 {
			continue
		}
		at := max(next, g.home(old.keys[i]))
		if at == len(g.keys) {
			return false
		}
		g.keys[at], g.counts[at] = old.keys[i], c
		next = at + 1
	}
	g.used = old.used
	return true
}
