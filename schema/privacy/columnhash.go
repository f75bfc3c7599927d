package privacy

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	stdhash "hash"
)

// hashLength is the length of a cell's hash: 16 bytes in base64url without padding.
const hashLength = 22

// columnHash hashes the cells of one column.
type columnHash struct {
	mac    stdhash.Hash
	sum    [sha256.Size]byte
	recent *recent // nil until the first cell
}

func newColumnHash(key []byte) *columnHash { return &columnHash{mac: hmac.New(sha256.New, key)} }

// put writes the hash of a cell at dst[n:] and returns where it ends.
func (h *columnHash) put(dst []byte, n int, cell []byte) int {
	if h.recent == nil {
		h.recent = new(recent)
	}
	to := (*[hashLength]byte)(dst[n:])
	s, known := h.recent.slot(cell)
	switch {
	case known:
		*to = s.hash
	case s != nil:
		h.hash(&s.hash, cell)
		*to = s.hash
	default:
		h.hash(to, cell)
	}
	return n + hashLength
}

func (h *columnHash) hash(dst *[hashLength]byte, cell []byte) {
	h.mac.Reset()
	_, _ = h.mac.Write(cell)
	base64.RawURLEncoding.Encode(dst[:], h.mac.Sum(h.sum[:0])[:16])
}
