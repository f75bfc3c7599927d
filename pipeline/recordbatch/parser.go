package recordbatch

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

// ErrCorrupt comes from a broken disk or memory: the records can't be read from this replica. All errors of a Parser wrap it.
var ErrCorrupt = errors.New("a record batch is corrupt")

// Parser visits the records and markers of the offsets [from, to) of a partition, in their order, aborted ones too. Records in the formats
// before Kafka 0.11, which have no headers, are skipped. It allocates for one decompressed batch.
type Parser struct {
	next, to int64
	seen     int64 // the end of the records, markers and reported holes so far
	visitor  Visitor
	scratch  []byte // the last decompressed batch
	record   Record
}

// NewParser reads [from, to).
func NewParser(from, to int64, v Visitor) *Parser {
	return &Parser{next: from, seen: from, to: to, visitor: v}
}

// Next is the first offset that was not read yet: where to fetch.
func (p *Parser) Next() int64 { return p.next }

// Done says that all was read.
func (p *Parser) Done() bool { return p.next >= p.to }

// Skip skips offsets at which nothing can be read, up to next.
func (p *Parser) Skip(next int64) { p.next = min(next, p.to) }

// End reports the hole that ends the range, if one does. Call it once Done.
func (p *Parser) End() { p.stands(p.to, p.to) }

// stands notes that there is something at [from, to), and reports the hole before it.
func (p *Parser) stands(from, to int64) {
	if from = min(from, p.to); from > p.seen && p.visitor.Hole != nil {
		p.visitor.Hole(p.seen, from)
	}
	p.seen = max(p.seen, to)
}

// Visit takes the batches of one answer, of which the last may be cut short, and moves Next behind what is whole. Batches that hold
// earlier offsets only leave Next as it is.
func (p *Parser) Visit(data []byte) error {
	for visited := false; p.next < p.to; visited = true {
		b, rest, err := nextBatch(data)
		if err != nil {
			return err
		}
		if rest == nil {
			if !visited {
				return fmt.Errorf("%w: at offset %d: cut short", ErrCorrupt, p.next)
			}
			return nil
		}
		if b.last >= p.next {
			if err := p.visitBatch(&b); err != nil {
				return err
			}
			p.next = b.last + 1
		}
		if data = rest; len(data) == 0 {
			return nil
		}
	}
	return nil
}

func (p *Parser) visitBatch(b *batch) (err error) {
	isControl := b.attributes&control != 0
	if all := b.last - b.base + 1; int64(b.count) == all {
		p.stands(b.base, b.last+1)
	}
	if isControl && p.visitor.Marker == nil || !isControl && p.visitor.Record == nil {
		return nil
	}
	var records []byte
	if records, p.scratch, err = b.decompress(p.scratch); err != nil {
		return err
	}
	c := Cursor{rest: records}
	p.record.ProducerID, p.record.ProducerEpoch = b.producerID, b.producerEpoch
	for range b.count {
		b.record(&c, &p.record)
		p.stands(p.record.Offset, p.record.Offset+1)
		switch {
		case c.short:
			return fmt.Errorf("%w: at offset %d: a record is cut short", ErrCorrupt, b.base)
		case p.record.Offset < p.next || p.record.Offset >= p.to:
		case isControl:
			err = p.visitor.Marker(markerOf(&p.record))
		default:
			err = p.visitor.Record(&p.record)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// markerOf reads the type in the key of a control record: version, then 0 for abort or 1 for commit.
func markerOf(r *Record) Marker {
	key := Cursor{rest: r.Key}
	key.Int16()
	return Marker{Offset: r.Offset, Time: r.Time, ProducerID: r.ProducerID, ProducerEpoch: r.ProducerEpoch, Commit: key.Int16() == 1}
}

// batch is the header of a record batch, decoded.
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
	c := Cursor{rest: data}
	b.base = c.Int64()
	body := c.Bytes(int(c.Int32()))
	if c.short {
		return b, nil, nil
	}
	rest, c = c.rest, Cursor{rest: body}
	c.Int32() // leader epoch
	magic := c.Int8()
	if magic < 2 && !c.short {
		b.last = b.base
		return b, rest, nil
	}
	crc := uint32(c.Int32())
	if magic > 2 || c.short || crc32.Checksum(c.rest, castagnoli) != crc {
		return b, nil, fmt.Errorf("%w: at offset %d", ErrCorrupt, b.base)
	}
	b.attributes = c.Int16()
	b.last = b.base + int64(c.Int32())
	b.firstTime, b.maxTime = c.Int64(), c.Int64()
	b.producerID, b.producerEpoch = c.Int64(), c.Int16()
	c.Int32() // base sequence
	b.count = c.Int32()
	b.records = c.rest
	if c.short {
		return b, nil, fmt.Errorf("%w: at offset %d: its header is cut short", ErrCorrupt, b.base)
	}
	return b, rest, nil
}

// decompress returns the records; it may use scratch for them, and returns that to be used again.
func (b *batch) decompress(scratch []byte) (records, reusable []byte, err error) {
	compression := compress.Compression(b.attributes & codecBits)
	if compression == compress.None || b.count == 0 {
		return b.records, scratch, nil
	}
	codec := compression.Codec()
	if codec == nil {
		return nil, scratch, fmt.Errorf("%w: at offset %d: unknown compression %d", ErrCorrupt, b.base, compression)
	}
	reader := codec.NewReader(bytes.NewReader(b.records))
	defer reader.Close()
	buf := bytes.NewBuffer(scratch[:0])
	if _, err := buf.ReadFrom(reader); err != nil {
		return nil, scratch, fmt.Errorf("%w: at offset %d: %w", ErrCorrupt, b.base, err)
	}
	return buf.Bytes(), buf.Bytes(), nil
}

// record reads the next record into r, whose Headers' memory it uses again.
func (b *batch) record(c *Cursor, r *Record) {
	fields := Cursor{rest: c.VarBytes()}
	fields.Int8() // attributes, unused
	milliseconds := b.firstTime + fields.Varint()
	if b.attributes&logAppendTime != 0 {
		milliseconds = b.maxTime
	}
	r.Time = time.UnixMilli(milliseconds)
	r.Offset = b.base + fields.Varint()
	r.Key, r.Value = fields.VarBytes(), fields.VarBytes()
	r.Headers = r.Headers[:0]
	for range fields.Varint() {
		if fields.short {
			break
		}
		r.Headers = append(r.Headers, Header{Key: fields.VarBytes(), Value: fields.VarBytes()})
	}
	c.short = c.short || fields.short
}
