package pipeline

import (
	"context"
	"errors"

	"dfinery-kafka/pipeline/ledger"
)

// begin loads which rows of the day are published, unless they are in memory, and
// counts copies from the first one on.
func (e *export) begin(ctx context.Context) error {
	if e.day.rows.Set == nil {
		if err := e.load(ctx); err != nil {
			return err
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.day.rows.Set.Begin()
	return nil
}

// load reads which rows of the day are published.
func (e *export) load(ctx context.Context) error {
	set, err := e.tenure.books.LoadSet(ctx, e.day.name, &e.record)
	lost, ok := errors.AsType[*ledger.LostError](err)
	if ok {
		e.tenure.log.Error("rows of this day may be published twice", "stream", e.stream.Name, "day", e.day.name.Day, "error", err,
			"do", "give "+e.tenure.books.Rows+" back its retention of 35 days; tell consumers to deduplicate by the header id")
		err = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.day.rows.Set, e.lost = set, lost
	if lost != nil {
		e.record.Forget(lost.Rows)
	}
	return err
}

// chunksPerCheckpoint is how many chunks of unsaved rows all exports collect
// together before they ask for a checkpoint: a quarter of a million rows, 4 MiB.
const chunksPerCheckpoint = 16

// askForCheckpoint counts a new chunk of unsaved rows.
func (e *export) askForCheckpoint() {
	if e.tenure.chunks.Add(1) < chunksPerCheckpoint {
		return
	}
	select {
	case e.tenure.full <- struct{}{}:
	default: // asked for already
	}
}
