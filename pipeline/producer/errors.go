package producer

import (
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

var (
	// ErrFenced ends a session: a newer instance has taken over, and nothing of this one is
	// appended any more.
	ErrFenced = errors.New("fenced by a newer instance")
	// ErrRestore ends a session that no longer knows which of its writes are in the log: the
	// owner must take over and recover again.
	ErrRestore = errors.New("the broker's record of our writes differs from ours")
	// ErrStale ends a session whose fence may have expired because it was not renewed: the
	// owner must take over with its identity.
	ErrStale = errors.New("the fence was not renewed for too long")
	// ErrNotOwned refuses a partition that the fence does not yet cover; a renewal may include it.
	ErrNotOwned = errors.New("the partition is not fenced by this instance")
	// ErrClosed ends a session that was closed.
	ErrClosed = errors.New("the session is closed")
)

// TooLargeError reports a record that is too large for its topic even in a batch of its own.
// Nothing was appended.
type TooLargeError struct {
	Topic string
	Bytes int // of a record batch with only this record
	Limit int // the topic's max.message.bytes, or its segment.bytes if that is less
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the record takes %d bytes as a batch of its own, topic %s allows %d (the less of max.message.bytes and segment.bytes)", e.Bytes, e.Topic, e.Limit)
}

// RefusedError ends a session: the broker refuses a batch permanently. With Unknown an earlier
// attempt may have written it, so what was published is known only after a recovery.
type RefusedError struct {
	Partition recordbatch.TopicPartition
	Records   int
	Bytes     int
	Unknown   bool
	Err       error
}

// TooLarge reports whether smaller batches would be accepted.
func (e *RefusedError) TooLarge() bool { return tooLarge(e.Err) }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%v refuses a batch of %d records and %d bytes: %v", e.Partition, e.Records, e.Bytes, e.Err)
}

// Unwrap returns the broker's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// outcome is the result of an attempt to write.
type outcome int

const (
	acknowledged     outcome = iota
	unsure                   // possibly written: retry with the same bytes
	unwritten                // definitely not written: retry
	refused                  // definitely not written, and never will be
	fenced                   // a newer instance owns the partition
	sequenceMismatch         // the broker expects another sequence number
)

// tooLarge reports whether the error answers a batch that is larger than the topic's
// max.message.bytes or segment.bytes.
func tooLarge(err error) bool {
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge)
}

// verdict classifies the answer to a produce request (Kafka protocol, "Error Codes").
func verdict(err error) outcome {
	switch {
	case err == nil, errors.Is(err, kafka.DuplicateSequenceNumber):
		return acknowledged
	case cluster.Fenced(err):
		return fenced
	case errors.Is(err, kafka.OutOfOrderSequenceNumber), errors.Is(err, kafka.UnknownProducerId):
		return sequenceMismatch
	case tooLarge(err), errors.Is(err, kafka.InvalidTimestamp), errors.Is(err, kafka.InvalidMessage), errors.Is(err, kafka.InvalidRecord),
		errors.Is(err, kafka.UnsupportedCompressionType), errors.Is(err, kafka.UnsupportedForMessageFormat):
		return refused
	}
	// Metadata without the topic or its leader means that nothing was sent. A moved leader
	// proves nothing: the former leader gives the same answer for batches that it appended but
	// could no longer replicate.
	_, topic := errors.AsType[*protocol.TopicError](err)
	_, partition := errors.AsType[*protocol.TopicPartitionError](err)
	if topic || partition || errors.Is(err, kafka.NotEnoughReplicas) || cluster.Forbidden(err) {
		return unwritten
	}
	return unsure
}
