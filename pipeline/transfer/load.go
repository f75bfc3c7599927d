package transfer

import (
	"context"
	"errors"

	"dfinery-kafka/pipeline/ledger/store"
)

// begin loads the published rows of the day, unless they are in memory, and resets the
// count of copies.
func (e *Export) begin(ctx context.Context) error {
	if e.day.Rows.Set == nil {
		if err := e.load(ctx); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.day.Rows.Set.Begin()
	return nil
}

// load reads the published rows of the day.
func (e *Export) load(ctx context.Context) error {
	record := e.Record
	if e.changes != nil {
		record.Published = 0 // the topic shows which rows are published
	}
	set, err := e.runner.Sets.LoadSet(ctx, e.day.Name, &record)
	lost, ok := errors.AsType[*store.LostError](err)
	if err != nil && !ok {
		return err
	}
	if ok && lost.Rows > 0 {
		e.runner.Log.Error("rows of this day may be published twice", "stream", e.stream.Name, "day", e.day.Name.Day, "error", err,
			"do", "restore the retention of 35 days of "+e.runner.RowsTopic+"; consumers must deduplicate by the header id")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.day.Rows.Set, e.lost = set, lost
	if lost != nil {
		e.Record.Forget(lost.Rows)
	}
	return nil
}

// chunksPerCheckpoint is how many chunks of unsaved rows all exports together collect
// before they request a checkpoint: a quarter of a million rows, 4 MiB.
const chunksPerCheckpoint = 16

// countChunk counts a new chunk of unsaved rows, and asks for a checkpoint when they
// are many.
func (s *shared) countChunk() {
	if s.chunks.Add(1) < chunksPerCheckpoint {
		return
	}
	select {
	case s.full <- struct{}{}:
	default: // already requested
	}
}
