package recovery

import (
	"context"
	"errors"
	"fmt"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// AddDay adds to set the rows, and the dead letters of rows, that the topics have of a day since
// the call numbered from, and returns how many of them the set lacked. Everything that this
// instance appended for the day must be acknowledged. Of the plan it uses Service, Topics,
// Letters, Partitions and Since.
func AddDay(ctx context.Context, log Log, plan Plan, name ledger.DayName, from int, set *dedup.Set) (added int, err error) {
	r := &reader{Plan: plan, log: log}
	logs, err := r.bounds(ctx, plan.Since, plan.Partitions...)
	if err != nil {
		return 0, err
	}
	for _, log := range logs {
		err := r.readRemaining(ctx, log, recordbatch.Visitor{Record: func(record *recordbatch.Record) error {
			export, c, ours := r.ours(log.Partition.Topic, record)
			if !ours || export.Stream != name.Stream || export.Day != name.Day || export.N < from || r.isExportLetter(log.Partition.Topic, record) {
				return nil
			}
			if set.Put(c.Fingerprint, c.Number) {
				added++
			}
			return nil
		}})
		if err != nil {
			return added, fmt.Errorf("recover %s %s from %v: %w", name.Stream, name.Day, log.Partition, err)
		}
	}
	return added, nil
}

// readRemaining reads a log. If retention deletes its first records in the meantime, it reads the
// remaining ones, some of them again.
func (r *reader) readRemaining(ctx context.Context, log cluster.LogRange, v recordbatch.Visitor) error {
	for {
		err := r.log.Read(ctx, log.Partition, log.Start, log.End, v)
		gone, ok := errors.AsType[*cluster.RangeError](err)
		if !ok || gone.Start <= log.Start || gone.End < log.End {
			return err
		}
		log.Start = min(gone.Start, log.End)
	}
}

// isExportLetter reports whether a record is the dead letter of a call, not of a row.
func (r *reader) isExportLetter(topic string, record *recordbatch.Record) bool {
	return topic == r.Letters && string(record.Header(schema.HeaderStage)) == schema.KindExport
}
