package profiles

import (
	"encoding/binary"
	"errors"
)

// Mark records that a snapshot proven to be complete lacked a key.
type Mark struct {
	Hash Hash
	N    int // number of that snapshot's export
	// Reserved means that its tombstone was about to be written.
	Reserved bool

	// What the scan found about the key.
	Key        []byte
	Partition  int
	inTopic    bool // its last record is a row
	superseded bool // that row is newer than the mark, or not from this stream
}

// MarkSize is the size of an encoded mark in bytes.
const MarkSize = 16

const reservedFlag = 1 << 47

// Append appends the encoded mark.
func (m *Mark) Append(dst []byte) []byte {
	n := uint64(m.N)
	if m.Reserved {
		n |= reservedFlag
	}
	dst = binary.BigEndian.AppendUint64(dst, m.Hash.hi)
	return binary.BigEndian.AppendUint64(dst, uint64(m.Hash.lo)<<48|n)
}

// Marks are the marks of a stream by key.
type Marks map[Hash]*Mark

// ErrMarks reports marks that can't be decoded.
var ErrMarks = errors.New("its length is not a number of marks")

// Load adds encoded marks.
func (m Marks) Load(value []byte) error {
	if len(value)%MarkSize != 0 {
		return ErrMarks
	}
	for ; len(value) > 0; value = value[MarkSize:] {
		rest := binary.BigEndian.Uint64(value[8:])
		h := Hash{hi: binary.BigEndian.Uint64(value), lo: uint16(rest >> 48)}
		m[h] = &Mark{Hash: h, N: int(rest & (reservedFlag - 1)), Reserved: rest&reservedFlag != 0}
	}
	return nil
}

// unchanged reports whether the key is in the topic unchanged since it was marked.
func (m *Mark) unchanged() bool { return m != nil && m.inTopic && !m.superseded }
