package recordbatch

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Value appends itself to a record batch, which avoids a copy. If Append returns an error, the
// record is not added and its output is discarded.
type Value interface {
	Append(dst []byte) ([]byte, error)
}

// Bytes is a Value of existing bytes.
type Bytes []byte

// Append appends the bytes.
func (b Bytes) Append(dst []byte) ([]byte, error) { return append(dst, b...), nil }

// HeaderSize is the length of a batch's header, which is the size of a batch without records.
const HeaderSize = 61

// The positions of the header's fields.
const (
	offsetLength      = 8
	offsetLeaderEpoch = 12
	offsetMagic       = 16
	offsetCRC         = 17
	offsetAttributes  = 21
	offsetLastDelta   = 23
	offsetFirstTime   = 27
	offsetMaxTime     = 35
	offsetProducerID  = 43
	offsetEpoch       = 51
	offsetSequence    = 53
	offsetCount       = 57
)

// Builder collects the records of one record batch, uncompressed, with space for its header.
// All records of a batch share its timestamp. Reset makes it ready for use.
type Builder struct {
	buf   []byte
	count int
	last  int // start of the last record
}

// KeptRoom is the maximum memory that an empty Builder retains. Batches are sent at a fraction
// of it, but a huge record, even one that Kafka refuses, makes its batch as large as itself:
// retained for each partition, such batches would dominate the memory.
const KeptRoom = 4 << 20

// Reset removes all records.
func (b *Builder) Reset() {
	if cap(b.buf) > KeptRoom {
		b.buf = nil
	}
	b.buf = append(b.buf[:0], make([]byte, HeaderSize)...)
	b.count, b.last = 0, 0
}

// Size is the size of the batch, uncompressed.
func (b *Builder) Size() int { return len(b.buf) }

// Count is the number of records.
func (b *Builder) Count() int { return b.count }

// Reserve doubles the batch's memory once most of it is used, but not beyond full, the size of
// a full batch: append alone would leave up to a quarter unused.
func (b *Builder) Reserve(full int) {
	const least = 4 << 10
	if have := cap(b.buf); have < full && len(b.buf) >= have/4*3 {
		b.buf = append(make([]byte, 0, min(full, max(least, 2*have))), b.buf...)
	}
}

// lengthRoom is the space reserved for a length before it is known: two bytes hold lengths from
// 64 to 8191, as those of nearly all rows. For any other length the following bytes are moved.
const lengthRoom = 2

// Append adds a record and returns the size of the batch, uncompressed. A nil value is null,
// which deletes the key from a compacted topic. The memory of key, value and headers may be
// reused afterwards. An error is the value's own, and leaves the batch as it was.
func (b *Builder) Append(key []byte, value Value, headers []Header) (int, error) {
	start := len(b.buf)
	buf := append(b.buf, 0, 0, // room for the record's length
		0, // attributes
		0) // timestamp delta
	buf = binary.AppendVarint(buf, int64(b.count))
	buf = binary.AppendVarint(buf, int64(len(key)))
	buf = append(buf, key...)
	if value == nil {
		buf = binary.AppendVarint(buf, -1)
	} else {
		at := len(buf)
		with, err := value.Append(append(buf, 0, 0))
		if err != nil {
			return start, err
		}
		buf = putLength(with, at)
	}
	buf = binary.AppendVarint(buf, int64(len(headers)))
	for i := range headers {
		h := &headers[i]
		buf = binary.AppendVarint(buf, int64(len(h.Key)))
		buf = append(buf, h.Key...)
		buf = binary.AppendVarint(buf, int64(len(h.Value)))
		buf = append(buf, h.Value...)
	}
	b.buf = putLength(buf, start)
	b.last = start
	b.count++
	return len(b.buf), nil
}

// putLength writes, at index at, which has lengthRoom bytes, the length of everything that follows.
func putLength(buf []byte, at int) []byte {
	n := len(buf) - at - lengthRoom
	switch room := varintSize(n); {
	case room > lengthRoom:
		buf = slices.Insert(buf, at, make([]byte, room-lengthRoom)...)
	case room < lengthRoom:
		buf = slices.Delete(buf, at, at+lengthRoom-room)
	}
	binary.PutVarint(buf[at:], int64(n))
	return buf
}

// varintSize is the number of bytes that binary.PutVarint writes for n >= 0.
func varintSize(n int) int { return (bits.Len64(uint64(n)<<1|1) + 6) / 7 }

// Split moves the records from the n-th on to another Builder, replacing its records.
func (b *Builder) Split(n int, to *Builder) {
	at, last := HeaderSize, 0
	for range n {
		last = at
		length, size := binary.Varint(b.buf[at:])
		at += size + int(length)
	}
	to.Reset()
	rest := b.buf[at:]
	for len(rest) > 0 {
		length, size := binary.Varint(rest)
		to.take(rest[size : size+int(length)])
		rest = rest[size+int(length):]
	}
	b.buf, b.count, b.last = b.buf[:at], n, last
}

// take appends a record of another batch, changing only its offset delta.
func (b *Builder) take(record []byte) {
	start := len(b.buf)
	_, old := binary.Varint(record[2:])
	b.buf = append(b.buf, 0, 0)
	b.buf = append(b.buf, record[:2]...)
	b.buf = binary.AppendVarint(b.buf, int64(b.count))
	b.buf = append(b.buf, record[2+old:]...)
	b.buf = putLength(b.buf, start)
	b.last = start
	b.count++
}

// LastID is the value of the last record's first header; nil without one.
func (b *Builder) LastID() []byte {
	if b.count == 0 {
		return nil
	}
	c := Cursor{rest: b.buf[b.last:]}
	c.Varint()   // length
	c.Bytes(2)   // attributes, timestamp delta
	c.Varint()   // offset delta
	c.VarBytes() // key
	c.VarBytes() // value
	if c.Varint() == 0 {
		return nil
	}
	c.VarBytes() // the header's key
	return c.VarBytes()
}
