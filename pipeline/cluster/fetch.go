package cluster

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/segmentio/kafka-go/protocol"

	"dfinery-kafka/pipeline/recordbatch"
)

// A fetch requests up to fetchBytes, unless its caller wants less, or one batch if that is
// larger, and waits up to fetchWait for the first byte.
const (
	fetchBytes = 4 << 20
	fetchWait  = 500 * time.Millisecond
)

// fetch is one Fetch request for one partition, sent by its own RawExchange: kafka-go's
// decoding drops the last offset of each batch, without which a reader can't skip records that
// compaction removed, uses the first timestamp instead of the broker's, and allocates for each
// record.
type fetch struct {
	recordbatch.TopicPartition
	broker   int32
	offset   int64
	atOnce   int // bytes
	clientID string
	version  int16
	id       int32 // correlates request and answer; negative, as none of kafka-go's is
	// buf is written to until the exchange has ended, even after its caller gave up: only
	// fetched.buf may be reused.
	buf []byte
}

// fetched is the answer to a fetch.
type fetched struct {
	errorCode     int16 // of the partition
	throttled     bool  // the answer is empty only because a quota was exceeded
	highWatermark int64
	batches       []byte // complete record batches and possibly a part of another; shares memory with buf
	buf           []byte
}

func (f *fetch) ApiKey() protocol.ApiKey { return protocol.Fetch }

func (*fetched) ApiKey() protocol.ApiKey { return protocol.Fetch }

func (f *fetch) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: f.broker}, nil
}

func (f *fetch) Required(versions map[protocol.ApiKey]int16) bool {
	f.version = versions[protocol.Fetch]
	return true
}

// RawExchange implements Fetch v4 to v11 (https://kafka.apache.org/protocol#The_Messages_Fetch).
func (f *fetch) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	if f.version < 4 {
		return nil, errors.New("the broker is older than Kafka 0.11, which introduced record headers")
	}
	if _, err := rw.Write(f.request()); err != nil {
		return nil, err
	}
	var frame [8]byte // size and correlation id
	if _, err := io.ReadFull(rw, frame[:]); err != nil {
		return nil, err
	}
	size := int(int32(binary.BigEndian.Uint32(frame[:]))) - 4
	if size < 0 {
		return nil, errNotKafka
	}
	f.buf = slices.Grow(f.buf[:0], size)[:size]
	if _, err := io.ReadFull(rw, f.buf); err != nil {
		return nil, err
	}
	return f.parse()
}

func (f *fetch) request() []byte {
	be := binary.BigEndian
	b := make([]byte, 4, 128+len(f.Topic)+len(f.clientID))
	b = be.AppendUint16(b, uint16(protocol.Fetch))
	b = be.AppendUint16(b, uint16(f.version))
	b = be.AppendUint32(b, uint32(f.id))
	b = appendString(b, f.clientID)
	b = be.AppendUint32(b, ^uint32(0)) // replica id: a consumer
	b = be.AppendUint32(b, uint32(fetchWait.Milliseconds()))
	b = be.AppendUint32(b, 1) // min bytes
	b = be.AppendUint32(b, uint32(f.atOnce))
	b = append(b, 0) // read uncommitted
	if f.version >= 7 {
		b = be.AppendUint32(b, 0)          // session id
		b = be.AppendUint32(b, ^uint32(0)) // session epoch: no session
	}
	b = be.AppendUint32(b, 1)
	b = appendString(b, f.Topic)
	b = be.AppendUint32(b, 1)
	b = be.AppendUint32(b, uint32(f.Partition))
	if f.version >= 9 {
		b = be.AppendUint32(b, ^uint32(0)) // leader epoch: any
	}
	b = be.AppendUint64(b, uint64(f.offset))
	if f.version >= 5 {
		b = be.AppendUint64(b, ^uint64(0)) // log start offset: a follower's only
	}
	b = be.AppendUint32(b, uint32(f.atOnce))
	if f.version >= 7 {
		b = be.AppendUint32(b, 0) // forgotten topics
	}
	if f.version >= 11 {
		b = appendString(b, "") // rack
	}
	be.PutUint32(b, uint32(len(b)-4))
	return b
}

func (f *fetch) parse() (*fetched, error) {
	c := recordbatch.NewCursor(f.buf)
	answer := &fetched{throttled: c.Int32() > 0, buf: f.buf}
	if f.version >= 7 {
		if err := NewBrokerError(c.Int16(), ""); err != nil {
			return nil, err
		}
		c.Int32() // session id
	}
	if topics := c.Int32(); topics == 0 {
		return answer, c.Err()
	}
	c.Bytes(int(c.Int16())) // the topic
	if partitions := c.Int32(); partitions == 0 {
		return answer, c.Err()
	}
	answer.throttled = false
	c.Int32() // the partition
	answer.errorCode = c.Int16()
	answer.highWatermark = c.Int64()
	c.Int64() // last stable offset
	if f.version >= 5 {
		c.Int64() // log start offset
	}
	for range max(c.Int32(), 0) {
		c.Bytes(16) // an aborted transaction
	}
	if f.version >= 11 {
		c.Int32() // preferred read replica
	}
	answer.batches = c.Bytes(int(max(c.Int32(), 0)))
	return answer, c.Err()
}

// fetch makes one request. It may reuse buf, which the caller must not touch after an error.
func (c *Cluster) fetch(ctx context.Context, leader int32, p recordbatch.TopicPartition, offset int64, atOnce int, buf []byte) (*fetched, error) {
	res, err := c.transport.RoundTrip(ctx, c.addr, &fetch{
		TopicPartition: p, broker: leader, offset: offset, atOnce: atOnce, clientID: c.cfg.ClientID, buf: buf, id: c.fetches.Add(-1),
	})
	if err != nil {
		return nil, fmt.Errorf("fetch %v at offset %d: %w", p, offset, err)
	}
	return res.(*fetched), nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}
