package ledger

import (
	"encoding/binary"

	"dfinery-kafka/schema"
)

// slot is a fingerprint but for its first byte, which its segment stands for; in the place of that byte stands the count:
// published in the high four bits, met in the low four; 0 when the slot is free. So that a row is one line of the processor's
// cache away, not two.
type slot struct{ hi, lo uint64 }

const (
	slotMost = 14
	outgrown = 0xff
	once     = 0x11 // published and met
	metMask  = 0x0f
)

// slotOf is a slot for the fingerprint, with a count of 0.
func slotOf(f schema.Fingerprint) slot {
	return slot{binary.BigEndian.Uint64(f[:8]) << 8, binary.BigEndian.Uint64(f[8:])}
}

func (s slot) count() uint8 { return uint8(s.hi) }

func (s slot) fingerprint(first byte) (f schema.Fingerprint) {
	binary.BigEndian.PutUint64(f[:8], s.hi>>8)
	binary.BigEndian.PutUint64(f[8:], s.lo)
	f[0] = first
	return f
}

// less says that the fingerprint of s is the smaller one. The count of o must be 0; that of s changes nothing then.
func (s slot) less(o slot) bool { return s.hi < o.hi || s.same(o) && s.lo < o.lo }

// same says that both have the same first half.
func (s slot) same(o slot) bool { return s.hi>>8 == o.hi>>8 }
