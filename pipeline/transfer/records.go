package transfer

import (
	"errors"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Appender appends records to one partition: a *producer.Sender.
type Appender interface {
	Append(key []byte, value recordbatch.Value, headers []recordbatch.Header) error
	TryFlush() bool
}

// recordWriter makes the records of one export's rows, and appends each to the
// partition of its key. It is not for use by several goroutines.
type recordWriter struct {
	senders []Appender // by partition
	headers recordHeaders
	key     recordKey
	value   rowValue
	id      []byte // of the row under way
}

// setColumns prepares for the rows below a header line, which has the key's columns.
func (w *recordWriter) setColumns(s *Stream, columns *schema.Columns) {
	w.key.setColumns(s.Key, columns)
	w.headers.setColumns(&s.Headers, columns)
}

// append appends one copy of a row to its partition. A *schema.BadRow is a row that
// Kafka refuses, or that can't be encoded.
func (w *recordWriter) append(row *schema.Row, key []byte, c dedup.Copy) error {
	w.id = schema.AppendID(w.id[:0], c.Fingerprint, c.Number)
	w.value.row = row
	err := w.senders[cluster.PartitionOf(key, len(w.senders))].Append(key, &w.value, w.headers.of(row, w.id))
	if err == nil {
		return nil
	}
	if bad, ok := errors.AsType[*schema.BadRow](err); ok { // the encoder's
		fingerprint := c.Fingerprint
		bad.Fingerprint = &fingerprint
		return bad
	}
	if large, ok := errors.AsType[*producer.TooLargeError](err); ok {
		bad := row.Bad(schema.TooLarge, schema.OriginKafka, "larger than the topic takes", large.Error())
		fingerprint := c.Fingerprint
		bad.Fingerprint, bad.Copy = &fingerprint, c.Number
		return bad
	}
	return err
}

// appendDelete appends a tombstone to the partition of its key. export is the id of the
// export that deletes it.
func (w *recordWriter) appendDelete(m *profiles.Mark, export string) error {
	w.id = schema.AppendID(w.id[:0], schema.DeleteFingerprint(export, m.Key), 0)
	return w.senders[m.Partition].Append(m.Key, nil, w.headers.deletion(w.id))
}

// tryFlush sends the open batches; false if one can't be sent now.
func (w *recordWriter) tryFlush() bool {
	all := true
	for _, s := range w.senders {
		all = s.TryFlush() && all
	}
	return all
}
