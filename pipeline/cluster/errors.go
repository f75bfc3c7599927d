package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"syscall"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// BrokerError is an error code in a broker's answer
// (https://kafka.apache.org/protocol#protocol_error_codes). It unwraps to kafka-go's
// kafka.Error.
type BrokerError struct {
	Code    int16
	Message string // of the broker, in addition to the code
}

// NewBrokerError returns nil for code 0.
func NewBrokerError(code int16, message string) error {
	if code == 0 {
		return nil
	}
	return &BrokerError{Code: code, Message: message}
}

func (e *BrokerError) Error() string {
	text := fmt.Sprintf("%s (Kafka error %d)", e.name(), e.Code)
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

func (e *BrokerError) Unwrap() error { return kafka.Error(e.Code) }

// name corrects names that are wrong or missing in kafka-go.
func (e *BrokerError) name() string {
	switch e.Code {
	case 13:
		return "Network Exception"
	case 55:
		return "Operation Not Attempted" // kafka-go says "Broker Authorization Failed"
	case 78:
		return "Offset Not Available"
	case 120:
		return "Transaction Abortable"
	}
	if title := kafka.Error(e.Code).Title(); title != "" {
		return title
	}
	return "Unnamed Error"
}

// RangeError reports that a partition's log no longer has, or does not yet have, the requested
// offsets: it has [Start, End).
type RangeError struct {
	Topic      string
	Partition  int
	From, To   int64
	Start, End int64
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("topic %s partition %d: offsets %d to %d were requested, the log has %d to %d",
		e.Topic, e.Partition, e.From, e.To, e.Start, e.End)
}

// Fenced reports whether another producer has taken over: its epoch is newer, or the
// transactional id has another producer id.
func Fenced(err error) bool {
	return hasCode(err, kafka.InvalidProducerEpoch, kafka.ProducerFenced, kafka.InvalidProducerIDMapping, kafka.TransactionCoordinatorFenced)
}

// Missing reports whether a topic or partition does not exist. A broker may also report that
// briefly for a new topic.
func Missing(err error) bool {
	return hasCode(err, kafka.UnknownTopicOrPartition, kafka.UnknownTopicID)
}

// Forbidden reports whether the cluster's authorizer refused.
func Forbidden(err error) bool {
	return hasCode(err, kafka.TopicAuthorizationFailed, kafka.GroupAuthorizationFailed, kafka.ClusterAuthorizationFailed,
		kafka.TransactionalIDAuthorizationFailed)
}

// Retriable reports whether the same request may succeed later: after moved leaders and
// coordinators, timeouts, broken connections. TLS and SASL refusals are not retriable. A
// cancelled context looks like a request timeout: check the caller's own context first.
func Retriable(err error) bool {
	if code, ok := errors.AsType[kafka.Error](err); ok {
		return code.Temporary() || code == kafka.ConcurrentTransactions || code == kafka.BrokerNotAvailable || code == kafka.ReplicaNotAvailable
	}
	if errors.Is(err, context.Canceled) {
		return false
	}
	if connect, ok := errors.AsType[*ConnectError](err); ok && connect.Step != StepConnect {
		return isBroken(err)
	}
	// Not net.Error, which errors of files implement, too.
	_, operation := errors.AsType[*net.OpError](err)
	return operation || isBroken(err) || isAny(err, protocol.ErrNoTopic, protocol.ErrNoPartition, protocol.ErrNoLeader)
}

// isBroken reports whether a connection ended or a timeout expired.
func isBroken(err error) bool {
	return isAny(err, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded, context.DeadlineExceeded, syscall.EPIPE, syscall.ECONNRESET)
}

func hasCode(err error, codes ...kafka.Error) bool {
	code, ok := errors.AsType[kafka.Error](err)
	return ok && slices.Contains(codes, code)
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
