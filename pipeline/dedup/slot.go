package dedup

import (
	"encoding/binary"

	"dfinery-kafka/schema"
)

// slot is a fingerprint in 16 bytes, with its copies in place of the first byte, which
// is given by the segment: a row touches one cache line.
//
//	0x00           the slot is free
//	0xPN, P ≤ 0xe  copies 0 to P-1 are published, N ≤ 0xe copies were observed
//	0xfN, N ≤ 0xe  copy N alone is published, none was observed
//	0xff           the copies are in Set.others
type slot struct{ hi, lo uint64 }

const (
	maxCopies    = 14   // that a slot can count
	published    = 0x10 // one more copy published
	observed     = 0x01 // one more copy observed
	observedMask = 0x0f
	single       = 0xf0
	elsewhere    = 0xff
	copiesMask   = 0xff
)

// slotOf is a slot for the fingerprint, without copies.
func slotOf(f schema.Fingerprint) slot {
	return slot{binary.BigEndian.Uint64(f[:8]) << 8, binary.BigEndian.Uint64(f[8:])}
}

func (s slot) copies() uint8 { return uint8(s.hi) }

func (s *slot) setCopies(c uint8) { s.hi = s.hi&^copiesMask | uint64(c) }

func (s slot) fingerprint(first byte) (f schema.Fingerprint) {
	binary.BigEndian.PutUint64(f[:8], s.hi>>8)
	binary.BigEndian.PutUint64(f[8:], s.lo)
	f[0] = first
	return f
}

// less reports whether the fingerprint of s is smaller. o must have no copies; those
// of s then make no difference.
func (s slot) less(o slot) bool { return s.hi < o.hi || s.same(o) && s.lo < o.lo }

// same reports whether both have the same first half.
func (s slot) same(o slot) bool { return s.hi>>8 == o.hi>>8 }
