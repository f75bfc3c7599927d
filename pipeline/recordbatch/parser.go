package recordbatch

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/segmentio/kafka-go/compress"
)

// ErrCorrupt reports corrupt data, for example because of a broken disk: the records can't be
// read from this replica. All errors of a Parser wrap it.
var ErrCorrupt = errors.New("a record batch is corrupt")

// Parser visits the records and markers at the offsets [from, to) of a partition in order,
// including aborted records. Records in the formats before Kafka 0.11, which have no headers,
// are skipped. It holds at most one decompressed batch in memory.
type Parser struct {
	next, to int64
	seen     int64 // end of the records, markers and reported holes so far
	visitor  Visitor
	scratch  []byte // the last decompressed batch
	record   Record
}

// NewParser returns a Parser for the offsets [from, to).
func NewParser(from, to int64, v Visitor) *Parser {
	return &Parser{next: from, seen: from, to: to, visitor: v}
}

// Next is the first offset that was not yet read, from which to fetch.
func (p *Parser) Next() int64 { return p.next }

// Done reports whether everything was read.
func (p *Parser) Done() bool { return p.next >= p.to }

// Skip skips unreadable offsets up to next.
func (p *Parser) Skip(next int64) { p.next = min(next, p.to) }

// End reports a hole at the end of the range. It must be called when Done.
func (p *Parser) End() { p.stands(p.to, p.to) }

// stands records that [from, to) has data, and reports the hole before it.
func (p *Parser) stands(from, to int64) {
	if from = min(from, p.to); from > p.seen && p.visitor.Hole != nil {
		p.visitor.Hole(p.seen, from)
	}
	p.seen = max(p.seen, to)
}

// Visit parses the batches of one fetch response, of which the last may be truncated, and
// advances Next past the complete ones. Batches with only earlier offsets do not change Next.
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

// markerOf parses the key of a control record: version, then type, 0 for abort or 1 for commit.
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

// nextBatch parses the first batch of data; no batch and no error if only a part of one is
// left. A message in the formats before Kafka 0.11 becomes a batch without records.
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

// decompress returns the records. It may use scratch for them, and returns scratch for reuse.
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

// record parses the next record into r, reusing the memory of its Headers.
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
