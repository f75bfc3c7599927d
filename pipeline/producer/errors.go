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
	// ErrFenced ends a session: a newer instance has taken over, nothing of this one is appended any more.
	ErrFenced = errors.New("fenced by a newer instance")
	// ErrRestore ends a session that no longer knows which of its writes are in the log: take over and restore again.
	ErrRestore = errors.New("the broker's record of our writes differs from ours")
	// ErrStale ends a session whose fence was not renewed for so long that it may be gone: take over with its identity.
	ErrStale = errors.New("the fence was not renewed for too long")
	// ErrNotOwned refuses a partition that the fence does not cover yet: a renewal may.
	ErrNotOwned = errors.New("the partition is not fenced by this instance")
	// ErrClosed ends a session that was closed by its owner.
	ErrClosed = errors.New("the session is closed")
)

// TooLargeError says that a record does not fit into its topic even alone. Nothing was appended.
type TooLargeError struct {
	Topic string
	Bytes int // of the record batch that would hold it alone
	Limit int // the topic's max.message.bytes, or its segment.bytes if that is less
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the record takes %d bytes as a batch of its own, topic %s allows %d (the less of max.message.bytes and segment.bytes)", e.Bytes, e.Topic, e.Limit)
}

// RefusedError ends a session: the broker refuses a batch permanently. With Unknown an earlier attempt may have written it, so what
// was published is known only after a restore.
type RefusedError struct {
	Partition recordbatch.TopicPartition
	Records   int
	Bytes     int
	Unknown   bool
	Err       error
}

// TooLarge reports whether smaller batches would be taken.
func (e *RefusedError) TooLarge() bool { return tooLarge(e.Err) }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%v refuses a batch of %d records and %d bytes: %v", e.Partition, e.Records, e.Bytes, e.Err)
}

// Unwrap gives the broker's error.
func (e *RefusedError) Unwrap() error { return e.Err }

// outcome is what an attempt to write shows.
type outcome int

const (
	acknowledged     outcome = iota
	unsure                   // perhaps written: try again with the same bytes
	unwritten                // definitely not written: try again
	refused                  // definitely not written, and never will be
	fenced                   // a newer instance owns the partition
	sequenceMismatch         // the broker's idea of our sequence is not ours
)

// tooLarge reports whether the error answers a batch that is larger than the topic's max.message.bytes or segment.bytes.
func tooLarge(err error) bool {
	return errors.Is(err, kafka.MessageSizeTooLarge) || errors.Is(err, kafka.RecordListTooLarge)
}

// verdict sorts the answers to a produce request (Kafka protocol, "Error Codes").
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
	// A layout without the topic or its leader means that nothing was sent. A leader that has moved proves nothing: the former one
	// gives the same answer for batches that it appended but could no longer replicate.
	var topic *protocol.TopicError
	var partition *protocol.TopicPartitionError
	if errors.As(err, &topic) || errors.As(err, &partition) || errors.Is(err, kafka.NotEnoughReplicas) || cluster.Forbidden(err) {
		return unwritten
	}
	return unsure
}
