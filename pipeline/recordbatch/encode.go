package recordbatch

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"
)

// Stamp is the producer, sequence and time of a batch.
type Stamp struct {
	ProducerID    int64 // -1: not an idempotent producer
	ProducerEpoch int16
	Sequence      int32 // of the first record
	Time          time.Time
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Encode appends the encoded batch: compressed by codec unless that makes it larger, with the
// stamp and a checksum. The Builder is not changed, so that the same batch can be encoded
// again.
func (b *Builder) Encode(dst []byte, codec *Codec, stamp Stamp) ([]byte, error) {
	start := len(dst)
	dst = append(dst, b.buf[:HeaderSize]...)
	records, attributes := b.buf[HeaderSize:], codec.id
	if codec.id != 0 {
		var err error
		if dst, err = codec.compress(dst, records); err != nil {
			return nil, fmt.Errorf("compress a batch of %d bytes with %s: %w", len(records), codec, err)
		}
	}
	if codec.id == 0 || len(dst)-start >= len(b.buf) {
		dst, attributes = append(dst[:start+HeaderSize], records...), 0
	}
	h := dst[start:]
	clear(h[:HeaderSize])
	be := binary.BigEndian
	be.PutUint32(h[offsetLength:], uint32(len(h)-offsetLeaderEpoch))
	be.PutUint32(h[offsetLeaderEpoch:], 0xffffffff)
	h[offsetMagic] = 2
	be.PutUint16(h[offsetAttributes:], uint16(attributes))
	be.PutUint32(h[offsetLastDelta:], uint32(b.count-1))
	be.PutUint64(h[offsetFirstTime:], uint64(stamp.Time.UnixMilli()))
	be.PutUint64(h[offsetMaxTime:], uint64(stamp.Time.UnixMilli()))
	be.PutUint64(h[offsetProducerID:], uint64(stamp.ProducerID))
	be.PutUint16(h[offsetEpoch:], uint16(stamp.ProducerEpoch))
	be.PutUint32(h[offsetSequence:], uint32(stamp.Sequence))
	be.PutUint32(h[offsetCount:], uint32(b.count))
	be.PutUint32(h[offsetCRC:], crc32.Checksum(h[offsetAttributes:], castagnoli))
	return dst, nil
}
