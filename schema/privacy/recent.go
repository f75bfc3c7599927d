package privacy

import "github.com/zeebo/xxh3"

const (
	recentSize = 4096
	// mostRecent is the longest cell whose hash is kept: a slot is one line of the
	// processor's cache.
	mostRecent = 41

	// A window of cells decides whether the cells after it are looked for: a hash
	// costs about as much as four cells that are not found.
	window   = 4 * recentSize
	leastMet = window / 4
	pause    = 15 * window
)

// recent keeps the hashes of a column's last cells as long as cells repeat. In a
// column whose cells all differ it would cost half as much again as hashing them,
// so it takes a pause. Its memory is fixed.
type recent struct {
	slots  [recentSize]slot
	looked int // cells that were looked for in this window
	met    int // those of them whose hash was here
	paused int // cells that still pass without a look
}

type slot struct {
	size uint8 // of the cell; 0: nothing is kept here
	cell [mostRecent]byte
	hash [hashLength]byte
}

// slot is where the hash of a cell is if known is true, and where it is to be put
// otherwise; nil if it is not to be kept.
func (r *recent) slot(cell []byte) (s *slot, known bool) {
	if r.paused > 0 {
		r.paused--
		return nil, false
	}
	if len(cell) > mostRecent {
		return nil, false
	}
	if r.looked == window {
		if r.judge(); r.paused > 0 {
			return nil, false
		}
	}
	r.looked++
	s = &r.slots[xxh3.Hash(cell)%recentSize]
	if known = string(s.cell[:s.size]) == string(cell); known {
		r.met++
	} else {
		s.size = uint8(copy(s.cell[:], cell))
	}
	return s, known
}

// judge ends a window. Cells that are not to be met again are forgotten.
func (r *recent) judge() {
	if r.met < leastMet {
		r.paused = pause
		clear(r.slots[:])
	}
	r.looked, r.met = 0, 0
}
