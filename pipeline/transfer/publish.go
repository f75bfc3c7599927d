package transfer

import (
	"errors"
	"fmt"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// Appender takes the records of one partition: a *producer.Sender.
type Appender interface {
	Append(key []byte, value recordbatch.Value, headers []recordbatch.Header) error
	TryFlush() bool
}

// publishFetched publishes the rows that were fetched ahead, then handles what stopped the fetching.
func (e *Export) publishFetched(body Body, stopped error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	prints := e.prefetched.prints[:e.prefetched.n]
	e.day.Rows.Set.Prefetch(prints)
	for i, print := range prints {
		row := e.prefetched.row(i)
		if err := e.takeOutcome(e.publish(row, print), row, body, len(prints)-1-i); err != nil {
			return err
		}
	}
	if stopped == nil {
		return nil
	}
	return e.takeOutcome(stopped, nil, body, 0)
}

// takeOutcome takes a row that was published, or the *schema.BadRow that was not, and returns any other error. row is nil if it could not be
// read. behind is how many rows after it were fetched already.
func (e *Export) takeOutcome(err error, row *schema.Row, body Body, behind int) error {
	bad, isBad := errors.AsType[*schema.BadRow](err)
	switch {
	case err != nil && !isBad:
		return err
	case e.Call.Probe:
		return nil // an export of its day finds its bad rows, too
	}
	if isBad {
		e.withhold(bad, row)
	}
	return e.take(bad, body, behind)
}

// publish appends the row to its partition unless it was published before. A *schema.BadRow is a row that can't be.
func (e *Export) publish(row *schema.Row, print schema.Fingerprint) error {
	k, empty := e.key.of(row)
	if empty != "" {
		bad := row.Bad(schema.EmptyKey, schema.OriginSchema, "the key column is empty", fmt.Sprintf("the key column %s is empty", empty))
		id := print
		bad.Fingerprint = &id
		return bad
	}
	if e.Call.Probe {
		e.sum.Duplicates++ // counted, never published
		return nil
	}
	e.sum.Bytes = row.Offset + int64(row.Size())
	e.sought.observe(row)
	if e.changes != nil {
		return e.publishChange(row, k, print)
	}
	rows := &e.day.Rows
	copyNumber, known := rows.Set.Observe(print)
	if known {
		e.sum.Duplicates++
		return nil
	}
	if err := e.append(row, k, dedup.Copy{Fingerprint: print, Number: copyNumber}); err != nil {
		if bad, ok := errors.AsType[*schema.BadRow](err); ok && bad.Origin == schema.OriginKafka {
			rows.Set.Skip(print)
		}
		return err
	}
	if rows.Add(print, copyNumber) {
		e.askForCheckpoint()
	}
	if e.names != nil && e.event >= 0 {
		e.names.observe(row.Cell(e.event))
	}
	return nil
}

// append appends one copy of a row to its partition. A *schema.BadRow is one that Kafka does not take, or that has no value.
func (e *Export) append(row *schema.Row, key []byte, c dedup.Copy) error {
	e.id = schema.AppendID(e.id[:0], c.Fingerprint, c.Number)
	e.value.row = row
	if err := e.senders[cluster.PartitionOf(key, len(e.senders))].Append(key, &e.value, e.headers.of(row, e.id)); err != nil {
		if bad, ok := errors.AsType[*schema.BadRow](err); ok { // the encoder's
			print := c.Fingerprint
			bad.Fingerprint = &print
			return bad
		}
		if large, ok := errors.AsType[*producer.TooLargeError](err); ok {
			bad := row.Bad(schema.TooLarge, schema.OriginKafka, "larger than the topic takes", large.Error())
			print := c.Fingerprint
			bad.Fingerprint, bad.Copy = &print, c.Number
			return bad
		}
		return err
	}
	e.sum.Published++
	return nil
}
