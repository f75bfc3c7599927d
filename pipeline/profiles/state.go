package profiles

// kind is what the topic has of a key.
type kind uint64

const (
	free          kind = iota // an empty slot
	own                       // a row of the stream
	stale                     // a row of the stream that must be published again
	unknownWriter             // a record without the connector's headers
	otherStream               // a record of another service or stream
	noValue                   // no value: deleted, or in the snapshot but not published
)

// inTopic reports whether the topic has a value for the key.
func (k kind) inTopic() bool { return k == own || k == stale || k == unknownWriter }

// State is the content of a topic, as needed for comparing a snapshot with it. The zero
// value is empty. It uses at most 25 bytes per key and one more segment: a segment
// grows by a quarter when it is four fifths full, and only one grows at a time.
type State struct{ segments [segments]segment }

// segments is the number of parts of the table. A key's part is given by the first
// byte of its hash, which is therefore not stored.
const segments = 256

type segment struct {
	slots []slot
	used  int
}

// slot is a key: 72 bits of its hash, 48 bits of its row's id, and flags.
type slot struct {
	hash uint64
	rest uint64 // 8 bits of the hash, 8 of flags, 48 of the id
}

const (
	kindShift = 48
	kindMask  = 7 << kindShift
	seenFlag  = 1 << 51
	restShift = 56
)

func (s *slot) kind() kind { return kind(s.rest & kindMask >> kindShift) }
func (s *slot) id() uint64 { return s.rest & idMask }
func (s *slot) seen() bool { return s.rest&seenFlag != 0 }

func (s *slot) set(k kind, id uint64) {
	s.rest = s.rest&^(kindMask|idMask) | uint64(k)<<kindShift | id
}

func (s *slot) see() { s.rest |= seenFlag }

// parts splits a hash into its segment and what its slot stores.
func (h Hash) parts() (part int, hash, rest uint64) {
	return int(h.hi >> 56), h.hi<<8 | uint64(h.lo>>8), uint64(h.lo&0xff) << restShift
}

// hashOf is the inverse of parts.
func hashOf(part int, s *slot) Hash {
	return Hash{hi: uint64(part)<<56 | s.hash>>8, lo: uint16(s.hash&0xff)<<8 | uint16(s.rest>>restShift)}
}

// Reserve makes room for n keys.
func (s *State) Reserve(n int) {
	each := n / segments
	if each == 0 {
		return
	}
	for i := range s.segments {
		if want := (each + each/16) * outOf / full; want > len(s.segments[i].slots) {
			s.segments[i].resize(want)
		}
	}
}

// find returns the slot of a key; nil if there is none. It is valid until the next put.
func (s *State) find(h Hash) *slot {
	part, hash, rest := h.parts()
	g := &s.segments[part]
	if g.used == 0 {
		return nil
	}
	if at := g.find(hash, rest); g.slots[at].kind() != free {
		return &g.slots[at]
	}
	return nil
}

// put returns the slot of a key, a new one of kind noValue if there is none.
func (s *State) put(h Hash) *slot {
	part, hash, rest := h.parts()
	g := &s.segments[part]
	if g.used*outOf >= len(g.slots)*full {
		g.resize(max(firstSlots, len(g.slots)+len(g.slots)/4+1))
	}
	at := g.find(hash, rest)
	if slot := &g.slots[at]; slot.kind() == free {
		slot.hash, slot.rest = hash, rest|uint64(noValue)<<kindShift
		g.used++
	}
	return &g.slots[at]
}

const (
	firstSlots = 8
	// A segment counts as full at four fifths: beyond that, searches get long.
	full, outOf = 4, 5
)

// find returns the index of the key's slot, or of the free slot for it.
func (g *segment) find(hash, rest uint64) int {
	at := int(hash >> 32 * uint64(len(g.slots)) >> 32)
	for {
		s := &g.slots[at]
		if s.kind() == free || s.hash == hash && s.rest>>restShift == rest>>restShift {
			return at
		}
		if at++; at == len(g.slots) {
			at = 0
		}
	}
}

func (g *segment) resize(n int) {
	old := g.slots
	g.slots = make([]slot, n)
	for i := range old {
		if old[i].kind() != free {
			g.slots[g.find(old[i].hash, old[i].rest)] = old[i]
		}
	}
}

// all yields every key.
func (s *State) all(yield func(Hash, *slot) bool) {
	for part := range s.segments {
		slots := s.segments[part].slots
		for i := range slots {
			if slots[i].kind() != free && !yield(hashOf(part, &slots[i]), &slots[i]) {
				return
			}
		}
	}
}
