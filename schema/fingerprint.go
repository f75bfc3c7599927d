package schema

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"
)

// Fingerprint is the 128-bit hash that identifies a row. It never changes between releases,
// because published records contain it.
type Fingerprint [16]byte

// badSeed separates the hashes of bad rows from the fingerprints of good ones, in one set.
const badSeed = 0x6466626164726f77

// Hasher computes fingerprints and reuses its scratch memory. It is not safe for concurrent use.
type Hasher struct{ scratch []byte }

// Row is the xxh3-128 of the row's non-empty cells, sorted by column name, each name and each
// value preceded by its length (uvarint). So it depends neither on the order of columns nor on
// empty columns.
func (h *Hasher) Row(r *Row) Fingerprint {
	if need := r.Columns.hashedSize + len(r.Data) + CopyWidth; len(h.scratch) < need {
		h.scratch = make([]byte, 2*need)
	}
	b, n := h.scratch, 0
	for i := range r.Columns.sorted {
		c := &r.Columns.sorted[i]
		cell := r.Cells[c.column]
		if cell.Start == cell.End {
			continue
		}
		n = c.name.Put(b, n)
		if size := cell.End - cell.Start; size < 0x80 {
			b[n] = byte(size)
			n++
		} else {
			n += binary.PutUvarint(b[n:], uint64(size))
		}
		n = cell.Put(b, n, r.Data)
	}
	return Fingerprint(xxh3.Hash128(b[:n]).Bytes())
}

// DeleteFingerprint identifies the deletion of a key by an export.
func DeleteFingerprint(export string, key []byte) Fingerprint {
	var b []byte
	for _, part := range []string{"delete", export, string(key)} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return Fingerprint(xxh3.Hash128(b).Bytes())
}

// BadFingerprint identifies a bad row, of which only the raw bytes are known.
func BadFingerprint(raw []byte) Fingerprint {
	return Fingerprint(xxh3.Hash128Seed(raw, badSeed).Bytes())
}

// BadHash computes a BadFingerprint incrementally.
type BadHash struct{ hasher *xxh3.Hasher }

// NewBadHash starts a hash. Its Sum is the BadFingerprint of all bytes written.
func NewBadHash() *BadHash { return &BadHash{xxh3.NewSeed(badSeed)} }

// Write adds bytes; it never fails.
func (h *BadHash) Write(raw []byte) (int, error) { return h.hasher.Write(raw) }

// Sum is the hash of the bytes so far.
func (h *BadHash) Sum() Fingerprint { return Fingerprint(h.hasher.Sum128().Bytes()) }

// idLength is a fingerprint's length in base64url without padding.
const idLength = 22

// MaxCopies is more than the number of identical rows in any export.
const MaxCopies = 1 << 40

// AppendID appends the record header "id": the fingerprint, followed by .1, .2 and so on for
// further identical rows of an export.
func AppendID(dst []byte, f Fingerprint, copy int) []byte {
	dst = base64.RawURLEncoding.AppendEncode(dst, f[:])
	if copy > 0 {
		dst = append(dst, '.')
		dst = strconv.AppendInt(dst, int64(copy), 10)
	}
	return dst
}

// ParseID is the inverse of AppendID.
func ParseID(id []byte) (f Fingerprint, copy int, err error) {
	text, suffix, numbered := strings.Cut(string(id), ".")
	if len(text) != idLength {
		return f, 0, fmt.Errorf("%q is not the id of a row", id)
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(f[:], []byte(text)); err != nil {
		return f, 0, fmt.Errorf("%q is not the id of a row: %w", id, err)
	}
	if numbered {
		if copy, err = strconv.Atoi(suffix); err != nil || copy < 1 || copy > MaxCopies {
			return f, 0, fmt.Errorf("%q is not the id of a row: its copy number is wrong", id)
		}
	}
	return f, copy, nil
}
