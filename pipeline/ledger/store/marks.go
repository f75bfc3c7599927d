package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
)

// headerSnapshot is the header of a record of marks that has the number of the export that wrote it.
const headerSnapshot = "snapshot"

// marksPerRecord is how many bytes of marks one record of the rows topic holds at most here. Readers accept any number.
const marksPerRecord = 16 * RowsPerRecord

// marksKey is the key of a stream's marks in the rows topic.
func (l *Ledger) marksKey(stream string) string { return "profiles/" + l.Service + "/" + stream }

// Marks appends the marks of a stream's absent keys to the rows topic, as an export wrote them. It only appends: the caller flushes.
func (w *Writer) Marks(stream string, export int, marks []byte) error {
	key := w.Ledger.marksKey(stream)
	headers := []recordbatch.Header{{Key: []byte(headerSnapshot), Value: strconv.AppendInt(nil, int64(export), 10)}}
	for len(marks) > 0 {
		n := min(len(marks), marksPerRecord)
		if err := w.Rows.Append([]byte(key), recordbatch.Bytes(marks[:n]), headers); err != nil {
			return fmt.Errorf("write %s: %w", key, err)
		}
		marks = marks[n:]
	}
	return nil
}

// LoadMarks reads a stream's marks from the ranges that its record names. Those that the topic no longer has are left out: to lose
// marks only delays deletes.
func (l *Ledger) LoadMarks(ctx context.Context, stream string, ranges []ledger.Range, take func(marks []byte) error) error {
	key := l.marksKey(stream)
	for _, r := range disjoint(ranges) {
		at := recordbatch.TopicPartition{Topic: l.Rows, Partition: int(r[0])}
		log, err := l.Cluster.Log(ctx, at)
		if err != nil {
			return fmt.Errorf("load the marks of %s: %w", stream, err)
		}
		err = l.Cluster.Read(ctx, at, max(r[1], log.Start), min(r[2], log.End), recordbatch.Visitor{Record: func(record *recordbatch.Record) error {
			if string(record.Key) != key {
				return nil
			}
			if err := take(record.Value); err != nil {
				return &RecordError{Topic: l.Rows, Partition: at.Partition, Offset: record.Offset, Key: key, Err: err}
			}
			return nil
		}})
		if _, gone := errors.AsType[*cluster.RangeError](err); err != nil && !gone {
			return fmt.Errorf("load the marks of %s: %w", stream, err)
		}
	}
	return nil
}
