package produce

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Record is one record to append. Its memory may be reused once it is appended.
type Record struct {
	Key     []byte
	Value   Value // nil: null, which deletes the key from a compacted topic
	Headers []Header
}

// Header is one header of a record.
type Header struct {
	Key   string
	Value []byte
}

// Value appends itself to a record batch, so that it is written once, in its place.
type Value interface{ Append(dst []byte) []byte }

// Bytes is a Value that is there already.
type Bytes []byte

// Append appends the bytes.
func (b Bytes) Append(dst []byte) []byte { return append(dst, b...) }

// The record batch's header (Kafka protocol, "Record Batch", magic 2): its length, and where its fields stand.
const (
	headerSize        = 61
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

// batch collects the records of one record batch, uncompressed, behind room for its header.
type batch struct {
	buf   []byte
	count int
	last  int // where the last record begins
}

// keptRoom is the most that an empty batch keeps of its memory. Batches are sealed at a fraction of it, but one huge record, even
// one that Kafka does not take, makes its batch as large as itself: kept for each partition, that would outgrow everything else.
const keptRoom = 4 << 20

func (b *batch) reset() {
	if cap(b.buf) > keptRoom {
		b.buf = nil
	}
	b.buf = append(b.buf[:0], make([]byte, headerSize)...)
	b.count, b.last = 0, 0
}

// makeRoom doubles the batch's memory once most of it is used, but never beyond what a full batch takes: append alone would leave
// up to a quarter of that unused.
func (b *batch) makeRoom(full int) {
	const least = 4 << 10
	if have := cap(b.buf); have < full && len(b.buf) >= have/4*3 {
		b.buf = append(make([]byte, 0, min(full, max(least, 2*have))), b.buf...)
	}
}

// lengthRoom is what is left free for a length before what it counts is known: two bytes hold lengths from 64 to 8191,
// those of nearly every row. Any other length moves the bytes behind it.
const lengthRoom = 2

// append adds a record and returns the size of the batch, uncompressed. All records of a batch share its timestamp.
func (b *batch) append(r *Record) int {
	start := len(b.buf)
	buf := append(b.buf, 0, 0, // room for the record's length
		0, // attributes
		0) // timestamp delta
	buf = binary.AppendVarint(buf, int64(b.count))
	buf = binary.AppendVarint(buf, int64(len(r.Key)))
	buf = append(buf, r.Key...)
	if r.Value == nil {
		buf = binary.AppendVarint(buf, -1)
	} else {
		value := len(buf)
		buf = putLength(r.Value.Append(append(buf, 0, 0)), value)
	}
	buf = binary.AppendVarint(buf, int64(len(r.Headers)))
	for i := range r.Headers {
		h := &r.Headers[i]
		buf = binary.AppendVarint(buf, int64(len(h.Key)))
		buf = append(buf, h.Key...)
		buf = binary.AppendVarint(buf, int64(len(h.Value)))
		buf = append(buf, h.Value...)
	}
	b.buf = putLength(buf, start)
	b.last = start
	b.count++
	return len(b.buf)
}

// putLength writes at the place at, which has lengthRoom bytes, the length of all that follows.
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

// varintSize is how many bytes binary.PutVarint writes for n >= 0.
func varintSize(n int) int { return (bits.Len64(uint64(n)<<1|1) + 6) / 7 }

// split moves the records from the n-th on into to, which must be empty.
func (b *batch) split(n int, to *batch) {
	at, last := headerSize, 0
	for range n {
		last = at
		length, size := binary.Varint(b.buf[at:])
		at += size + int(length)
	}
	to.reset()
	rest := b.buf[at:]
	for len(rest) > 0 {
		length, size := binary.Varint(rest)
		to.adopt(rest[size : size+int(length)])
		rest = rest[size+int(length):]
	}
	b.buf, b.count, b.last = b.buf[:at], n, last
}

// adopt appends a record of another batch: the same but for its offset delta.
func (b *batch) adopt(record []byte) {
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

// lastID is the value of the last record's first header; nil without one.
func (b *batch) lastID() []byte {
	if b.count == 0 {
		return nil
	}
	_, size := binary.Varint(b.buf[b.last:])
	record := b.buf[b.last+size:]
	number := func() int {
		n, size := binary.Varint(record)
		record = record[size:]
		return int(n)
	}
	bytes := func() []byte {
		n := max(0, number()) // a null has the length -1
		b := record[:n]
		record = record[n:]
		return b
	}
	record = record[2:] // attributes, timestamp delta
	number()            // offset delta
	bytes()             // key
	bytes()             // value
	if number() == 0 {
		return nil
	}
	bytes() // the header's key
	return bytes()
}
