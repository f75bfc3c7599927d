package transfer

import (
	"errors"
	"fmt"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/schema"
)

// publishFetched publishes the rows that were fetched ahead, then handles what stopped
// the fetching.
func (e *Export) publishFetched(body Body, stopped error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	fingerprints := e.prefetched.fingerprints[:e.prefetched.n]
	e.day.Rows.Set.Prefetch(fingerprints)
	for i, fingerprint := range fingerprints {
		row := e.prefetched.row(i)
		if err := e.takeOutcome(e.publish(row, fingerprint), row, body, len(fingerprints)-1-i); err != nil {
			return err
		}
	}
	if stopped == nil {
		return nil
	}
	return e.takeOutcome(stopped, nil, body, 0)
}

// takeOutcome handles a published row, or a *schema.BadRow, and returns any other
// error. row is nil if it could not be parsed. behind is how many rows after it are
// already fetched.
func (e *Export) takeOutcome(err error, row *schema.Row, body Body, behind int) error {
	bad, isBad := errors.AsType[*schema.BadRow](err)
	switch {
	case err != nil && !isBad:
		return err
	case e.Call.Probe:
		return nil // an export of the day finds the bad rows, too
	}
	if isBad {
		e.stream.withhold(bad, row, e.header, e.Columns)
		e.changes.observeBad(bad)
	}
	return e.letters.take(bad, body, behind)
}

// publish appends the row to its partition unless it is already published. A
// *schema.BadRow is a row that can't be published.
func (e *Export) publish(row *schema.Row, fingerprint schema.Fingerprint) error {
	k, empty := e.records.key.of(row)
	if empty != "" {
		bad := row.Bad(schema.EmptyKey, schema.OriginSchema, "the key column is empty", fmt.Sprintf("the key column %s is empty", empty))
		id := fingerprint
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
		return e.publishChange(row, k, fingerprint)
	}
	rows := &e.day.Rows
	copyNumber, known := rows.Set.Observe(fingerprint)
	if known {
		e.sum.Duplicates++
		return nil
	}
	if err := e.records.append(row, k, dedup.Copy{Fingerprint: fingerprint, Number: copyNumber}); err != nil {
		if bad, ok := errors.AsType[*schema.BadRow](err); ok && bad.Origin == schema.OriginKafka {
			rows.Set.Skip(fingerprint)
		}
		return err
	}
	e.sum.Published++
	if rows.Add(fingerprint, copyNumber) {
		e.runner.countChunk()
	}
	e.names.observe(row)
	return nil
}
