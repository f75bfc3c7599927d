package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

// Record is a record of a partition. Key, Value and Headers are borrowed until the function that was given it returns.
type Record struct {
	Offset        int64
	Time          time.Time // what message.timestamp.type says: the producer's or the broker's
	Key, Value    []byte    // nil: null
	Headers       []Header
	ProducerID    int64 // -1: not an idempotent producer
	ProducerEpoch int16
}

// Header is one header of a record.
type Header struct{ Key, Value []byte }

// Header is the value of the first header called name; nil if there is none.
func (r *Record) Header(name string) []byte {
	for i := range r.Headers {
		if string(r.Headers[i].Key) == name {
			return r.Headers[i].Value
		}
	}
	return nil
}

// Marker is a control record that ends a transaction: with it the partition takes no older epoch of the producer any more.
type Marker struct {
	Offset        int64
	Time          time.Time
	ProducerID    int64
	ProducerEpoch int16
	Commit        bool // else it aborts
}

// errCorrupt is met on a broken disk or memory; the records can't be had from this replica.
var errCorrupt = errors.New("a record batch is corrupt")

// batch is a record batch, format 2 (https://kafka.apache.org/documentation/#recordbatch).
type batch struct {
	base, last    int64 // offsets; compaction may have removed the records of both
	attributes    int16
	firstTime     int64
	maxTime       int64
	producerID    int64
	producerEpoch int16
	count         int32
	records       []byte // compressed as attributes say
}

const (
	codecBits     = 0x07
	logAppendTime = 1 << 3
	control       = 1 << 5
)

// nextBatch takes one batch from the front of data; none and no error if only a part of one is left. A message of the formats
// before Kafka 0.11 becomes a batch without records.
func nextBatch(data []byte) (b batch, rest []byte, err error) {
	c := cursor{rest: data}
	b.base = c.int64()
	body := c.bytes(int(c.int32()))
	if c.short {
		return b, nil, nil
	}
	rest, c = c.rest, cursor{rest: body}
	c.int32() // leader epoch
	magic := c.int8()
	if magic < 2 && !c.short {
		b.last = b.base
		return b, rest, nil
	}
	crc := uint32(c.int32())
	if magic > 2 || c.short || crc32.Checksum(c.rest, crc32.MakeTable(crc32.Castagnoli)) != crc {
		return b, nil, fmt.Errorf("%w: at offset %d", errCorrupt, b.base)
	}
	b.attributes = c.int16()
	b.last = b.base + int64(c.int32())
	b.firstTime, b.maxTime = c.int64(), c.int64()
	b.producerID, b.producerEpoch = c.int64(), c.int16()
	c.int32() // base sequence
	b.count = c.int32()
	b.records = c.rest
	return b, rest, c.err()
}

// decompress returns the records; it may use scratch for them, and returns that to be used again.
func (b *batch) decompress(scratch []byte) (records, reusable []byte, err error) {
	compression := compress.Compression(b.attributes & codecBits)
	if compression == compress.None || b.count == 0 {
		return b.records, scratch, nil
	}
	codec := compression.Codec()
	if codec == nil {
		return nil, scratch, fmt.Errorf("%w: at offset %d: unknown compression %d", errCorrupt, b.base, compression)
	}
	reader := codec.NewReader(bytes.NewReader(b.records))
	defer reader.Close()
	buf := bytes.NewBuffer(scratch[:0])
	if _, err := buf.ReadFrom(reader); err != nil {
		return nil, scratch, fmt.Errorf("%w: at offset %d: %w", errCorrupt, b.base, err)
	}
	return buf.Bytes(), buf.Bytes(), nil
}

// record reads the next record into r, whose Headers' memory it uses again.
func (b *batch) record(c *cursor, r *Record) {
	fields := cursor{rest: c.varbytes()}
	fields.int8() // attributes, unused
	milliseconds := b.firstTime + fields.varint()
	if b.attributes&logAppendTime != 0 {
		milliseconds = b.maxTime
	}
	r.Time = time.UnixMilli(milliseconds)
	r.Offset = b.base + fields.varint()
	r.Key, r.Value = fields.varbytes(), fields.varbytes()
	r.Headers = r.Headers[:0]
	for range fields.varint() {
		if fields.short {
			break
		}
		r.Headers = append(r.Headers, Header{Key: fields.varbytes(), Value: fields.varbytes()})
	}
	c.short = c.short || fields.short
}
