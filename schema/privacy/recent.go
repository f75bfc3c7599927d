package privacy

import "github.com/zeebo/xxh3"

const (
	recentSize = 4096
	// mostRecent is the longest cell whose hash is kept: a slot is one line of the
	// processor's cache.
	mostRecent = 41

	// A window of cells decides whether the cells after it are looked up: a hash
	// costs about as much as four cells that are not found.
	window      = 4 * recentSize
	minRepeated = window / 4
	pause       = 15 * window
)

// recent caches the hashes of a column's last cells. In a column whose cells all differ the
// cache would add half of the cost of hashing them, so it is paused. Its memory is fixed.
type recent struct {
	slots    [recentSize]slot
	checked  int // cells that were looked up in this window
	repeated int // those of them whose hash was cached
	paused   int // cells that are still skipped
}

type slot struct {
	size uint8 // of the cell; 0: nothing is kept here
	cell [mostRecent]byte
	hash [hashLength]byte
}

// slot returns the slot that has the hash of a cell if known is true, or that is to be filled
// with it; nil if it is not to be cached.
func (r *recent) slot(cell []byte) (s *slot, known bool) {
	if r.paused > 0 {
		r.paused--
		return nil, false
	}
	if len(cell) > mostRecent {
		return nil, false
	}
	if r.checked == window {
		if r.judge(); r.paused > 0 {
			return nil, false
		}
	}
	r.checked++
	s = &r.slots[xxh3.Hash(cell)%recentSize]
	if known = string(s.cell[:s.size]) == string(cell); known {
		r.repeated++
	} else {
		s.size = uint8(copy(s.cell[:], cell))
	}
	return s, known
}

// judge ends a window. If too few cells were repeated, the cache is cleared and paused.
func (r *recent) judge() {
	if r.repeated < minRepeated {
		r.paused = pause
		clear(r.slots[:])
	}
	r.checked, r.repeated = 0, 0
}
