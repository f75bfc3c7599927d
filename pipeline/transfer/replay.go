package transfer

import (
	"context"
	"errors"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/privacy"
)

// Replay has rows of one day and header that were read from dead letters.
type Replay struct {
	Day     schema.Day
	Export  int // number of the rows' export
	Columns *schema.Columns
	Header  *schema.Columns // of the letters; Columns has the public ones
	View    *privacy.View   // nil: all cells are public
	Rows    []ReplayRow
}

// ReplayRow is the row of a letter.
type ReplayRow struct {
	Letter deadletter.Offset
	Row    *schema.Row // nil: it still can't be parsed
	Copy   dedup.Copy
	// Guessed means that the letter does not say which of the identical rows it belongs
	// to.
	Guessed bool
}

// parsed yields the rows that can be parsed.
func (r *Replay) parsed(yield func(*schema.Row) bool) {
	for i := range r.Rows {
		if row := r.Rows[i].Row; row != nil && !yield(row) {
			return
		}
	}
}

// republish publishes the rows of letters that are not yet published, each as the copy
// given by its letter. It writes no letters, as rows that still can't be published have
// one.
func (e *Export) republish(ctx context.Context) error {
	if err := e.begin(ctx); err != nil {
		return err
	}
	if err := verify(ctx, e.records.value.encoder); err != nil {
		return schemaFailure(&e.Call, err)
	}
	e.Columns = e.Replay.Columns
	head := head{columns: e.Columns}
	if err := head.register(ctx, e.records.value.encoder, e.Replay.parsed); err != nil {
		return schemaFailure(&e.Call, err)
	}
	e.records.setColumns(e.stream, e.Columns)
	for i := range e.Replay.Rows {
		if err := e.republishRow(&e.Replay.Rows[i]); err != nil {
			return err
		}
	}
	return nil
}

func (e *Export) republishRow(r *ReplayRow) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.Row == nil {
		e.sum.Bad++
		return nil
	}
	key, empty := e.records.key.of(r.Row)
	if empty != "" {
		e.sum.Bad++
		return nil
	}
	rows := &e.day.Rows
	if rows.Set.Has(r.Copy.Fingerprint, r.Copy.Number) {
		if r.Guessed {
			e.Unclear = append(e.Unclear, r.Letter)
			return nil
		}
		e.sum.Duplicates++
		return nil
	}
	err := e.records.append(r.Row, key, r.Copy)
	if _, bad := errors.AsType[*schema.BadRow](err); bad {
		e.sum.Bad++
		return nil
	}
	if err != nil {
		return err
	}
	e.sum.Published++
	if rows.AddCopy(r.Copy) {
		e.runner.countChunk()
	}
	return nil
}
