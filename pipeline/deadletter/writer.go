package deadletter

import (
	"errors"
	"fmt"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// The headers of a dead letter besides those of rows and schema.HeaderStage, named as
// in Kafka Connect (KIP-298).
const (
	headerConnector = "__connect.errors.connector.name"
	headerClass     = "__connect.errors.exception.class.name"
	headerMessage   = "__connect.errors.exception.message"
)

// shortCopy is how much of a body or row is kept in a letter that is too large for its
// topic.
const shortCopy = 1 << 10

// Appender appends records to one partition of the dead-letter topic.
type Appender interface {
	Append(key []byte, value recordbatch.Value, headers []recordbatch.Header) error
}

// ExportID is the id of the letter of a failed call. A call has at most one letter.
func ExportID(e schema.Export) []byte {
	return schema.AppendID(nil, schema.BadFingerprint([]byte("export "+e.ID())), 0)
}

// Write appends a dead letter, after removing the secrets that redact finds. A letter
// that is too large for its topic is shortened.
func Write(to Appender, e schema.Export, letter *schema.DeadLetter, id []byte, redact func([]byte) []byte) error {
	letter.Redact(redact)
	err := write(to, e, letter, id)
	if _, large := errors.AsType[*producer.TooLargeError](err); large {
		letter.Shorten(shortCopy)
		err = write(to, e, letter, id)
	}
	if err != nil {
		return fmt.Errorf("write the dead letter of %s: %w", e.ID(), err)
	}
	return nil
}

func write(to Appender, e schema.Export, letter *schema.DeadLetter, id []byte) error {
	value, err := letter.JSON()
	if err != nil {
		return err
	}
	return to.Append([]byte(e.DayKey()), recordbatch.Bytes(value), []recordbatch.Header{
		{Key: []byte("id"), Value: id},
		{Key: []byte("export"), Value: []byte(e.ID())},
		{Key: []byte(headerConnector), Value: []byte("dfinery-kafka")},
		{Key: []byte(schema.HeaderStage), Value: []byte(letter.Kind)},
		{Key: []byte(headerClass), Value: []byte(letter.Error.Code)},
		{Key: []byte(headerMessage), Value: []byte(letter.Error.Detail)},
	})
}
