package produce

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"
)

// Identity is what the broker knows a producer by. Appends of an older epoch of the same id are refused.
type Identity struct {
	ID    int64
	Epoch int16
}

func (i Identity) String() string { return fmt.Sprintf("producer %d epoch %d", i.ID, i.Epoch) }

// encode appends the batch as Kafka takes it: compressed by codec unless that makes it larger, stamped with the producer and
// the sequence number of its first record. The batch itself stays as it is.
func (b *batch) encode(dst []byte, codec *Codec, from Identity, sequence int32, now time.Time) ([]byte, error) {
	start := len(dst)
	dst = append(dst, b.buf[:headerSize]...)
	records, attributes := b.buf[headerSize:], codec.id
	if codec.id != 0 {
		var err error
		if dst, err = codec.compress(dst, records); err != nil {
			return nil, fmt.Errorf("compress a batch of %d bytes with %s: %w", len(records), codec, err)
		}
	}
	if codec.id == 0 || len(dst)-start >= len(b.buf) {
		dst, attributes = append(dst[:start+headerSize], records...), 0
	}
	h := dst[start:]
	clear(h[:headerSize])
	binary.BigEndian.PutUint32(h[offsetLength:], uint32(len(h)-offsetLeaderEpoch))
	binary.BigEndian.PutUint32(h[offsetLeaderEpoch:], 0xffffffff)
	h[offsetMagic] = 2
	binary.BigEndian.PutUint16(h[offsetAttributes:], uint16(attributes))
	binary.BigEndian.PutUint32(h[offsetLastDelta:], uint32(b.count-1))
	binary.BigEndian.PutUint64(h[offsetFirstTime:], uint64(now.UnixMilli()))
	binary.BigEndian.PutUint64(h[offsetMaxTime:], uint64(now.UnixMilli()))
	binary.BigEndian.PutUint64(h[offsetProducerID:], uint64(from.ID))
	binary.BigEndian.PutUint16(h[offsetEpoch:], uint16(from.Epoch))
	binary.BigEndian.PutUint32(h[offsetSequence:], uint32(sequence))
	binary.BigEndian.PutUint32(h[offsetCount:], uint32(b.count))
	binary.BigEndian.PutUint32(h[offsetCRC:], crc32.Checksum(h[offsetAttributes:], crc32.MakeTable(crc32.Castagnoli)))
	return dst, nil
}
