package profiles

import (
	"encoding/binary"
	"fmt"

	"github.com/zeebo/xxh3"

	"dfinery-kafka/schema"
)

// Hash identifies a key: 80 bits of a hash with the stream's seed. Without knowing
// the seed, keys with the same hash can't be constructed.
type Hash struct {
	hi uint64
	lo uint16
}

// HashKey is the hash of a key.
func HashKey(seed uint64, key []byte) Hash {
	h := xxh3.Hash128Seed(key, seed)
	return Hash{hi: h.Hi, lo: uint16(h.Lo)}
}

// String returns the hash in hexadecimal.
func (h Hash) String() string { return fmt.Sprintf("%016x%04x", h.hi, h.lo) }

// idMask selects the stored part of a row's fingerprint.
const idMask = 1<<48 - 1

func shortID(f schema.Fingerprint) uint64 { return binary.BigEndian.Uint64(f[:8]) >> 16 }
