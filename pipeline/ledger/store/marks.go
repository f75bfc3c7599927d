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

// headerSnapshot is the header of a record of marks with the number of the export that wrote it.
const headerSnapshot = "snapshot"

// marksPerRecord is the maximum number of bytes of marks per record that is written to the rows
// topic. Readers accept any number.
const marksPerRecord = 16 * RowsPerRecord

// marksKey is the key of a stream's marks in the rows topic.
func (l *Ledger) marksKey(stream string) string { return "profiles/" + l.Service + "/" + stream }

// Marks appends an export's marks of absent keys to the rows topic. The caller must flush.
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

// LoadMarks reads a stream's marks from the ranges in its record. Marks that the topic no
// longer has are ignored: their loss only delays deletes.
func (l *Ledger) LoadMarks(ctx context.Context, stream string, ranges []ledger.Range, take func(marks []byte) error) error {
	key := l.marksKey(stream)
	for _, r := range disjoint(ranges) {
		at := recordbatch.TopicPartition{Topic: l.Rows, Partition: int(r[0])}
		log, err := l.log(ctx, at)
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
