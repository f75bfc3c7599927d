package pipeline

import (
	"errors"
	"fmt"
	"slices"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// The other headers of a dead letter, named as Kafka Connect names them (KIP-298).
const (
	headerConnector = "__connect.errors.connector.name"
	headerClass     = "__connect.errors.exception.class.name"
	headerMessage   = "__connect.errors.exception.message"
)

// exportID is the id of an export's dead letter; each call has at most one.
func exportID(e schema.Export) []byte {
	return schema.AppendID(nil, schema.BadFingerprint([]byte("export "+e.ID())), 0)
}

// shortCopy is how much of a body or row is left of a dead letter that its topic does not take whole.
const shortCopy = 1 << 10

// deadLetter appends a dead letter, of whatever kind, without secrets in it. The caller holds mu.
func (e *export) deadLetter(letter *schema.DeadLetter, id []byte) error {
	letter.Redact(e.tenure.service.Redact)
	err := e.appendLetter(letter, id)
	if _, large := errors.AsType[*producer.TooLargeError](err); large {
		letter.Shorten(shortCopy)
		err = e.appendLetter(letter, id)
	}
	if err != nil {
		return fmt.Errorf("write the dead letter of %s: %w", e.call.ID(), err)
	}
	e.tenure.service.recent.add(letter)
	return nil
}

func (e *export) appendLetter(letter *schema.DeadLetter, id []byte) error {
	value, err := letter.JSON()
	if err != nil {
		return err
	}
	return e.dead.Append([]byte(e.call.DayKey()), recordbatch.Bytes(value), []recordbatch.Header{
		{Key: []byte("id"), Value: id},
		{Key: []byte("export"), Value: []byte(e.call.ID())},
		{Key: []byte(headerConnector), Value: []byte("dfinery-kafka")},
		{Key: []byte(schema.HeaderStage), Value: []byte(letter.Kind)},
		{Key: []byte(headerClass), Value: []byte(letter.Error.Code)},
		{Key: []byte(headerMessage), Value: []byte(letter.Error.Detail)},
	})
}

// needsLetter reports whether a failure of the day still needs a dead letter. letters are the cuts that have one: a day has one of each.
func needsLetter(f *schema.Failure, letters []schema.Cut) bool {
	return f.Class != schema.Cancelled && f.Class != schema.Postponed && (f.Cut == "" || !slices.Contains(letters, f.Cut))
}
