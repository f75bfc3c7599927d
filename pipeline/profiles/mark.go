package profiles

import (
	"encoding/binary"
	"errors"
)

// Mark says that a snapshot that proved to be whole lacked a key.
type Mark struct {
	Hash Hash
	N    int // of that snapshot's export
	// Reserved says that its deletion was about to be written.
	Reserved bool

	// What the scan has found of the key.
	Key       []byte
	Partition int
	alive     bool // its last record is a row
	void      bool // that row is younger than the mark, or is not ours
}

// MarkSize is how many bytes a mark takes in the ledger.
const MarkSize = 16

const reservedFlag = 1 << 47

// Append appends the mark as the ledger has it.
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

// ErrMarks says that marks can't be read.
var ErrMarks = errors.New("its length is not a number of marks")

// Load adds the marks that Append wrote.
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

// stands reports whether the key is in the topic as it was when it was marked.
func (m *Mark) stands() bool { return m != nil && m.alive && !m.void }
