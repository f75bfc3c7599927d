package transfer

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/schema"
)

// Export moves the rows of one call, or one replay, into Kafka. It runs in its own
// goroutine; the runner pauses it with mu.
type Export struct {
	Job
	runner *shared
	stream *Stream
	day    *Day

	// Set before the export is sent to Ended.
	Err      error // nil: success; a *schema.Failure; or why Kafka refused it
	Took     time.Duration
	Columns  *schema.Columns
	Lettered bool                // the failure has a dead letter
	Repeated int64               // rows that repeat the header line
	header   *schema.Columns     // as it arrived; Columns are the public ones
	Charset  string              // to store for the stream; empty: unchanged
	Unclear  []deadletter.Offset // letters of the replay whose rows may already be published

	// mu is held while a row is being appended. So its holder sees each row either not
	// started, or appended with all its consequences, as a checkpoint requires.
	mu    sync.Mutex       // also guards the day's rows
	sum   Tally            // of the whole export
	saved Tally            // what of it the ledger has
	lost  *store.LostError // rows of the day that the ledger has lost; nil once the day's record reflects that

	live atomic.Pointer[Tally] // sum as of a moment ago, for the status

	// The parts, in the order in which they see a row.
	prefetched prefetched
	sought     soughtColumns
	changes    *changes // nil without MODE=changes
	records    recordWriter
	names      *names // nil for a userprofile
	letters    letters
}

// Day is the day of the export.
func (e *Export) Day() ledger.DayName { return e.day.Name }

// Sum returns the row counts of an export that has ended.
func (e *Export) Sum() Tally { return e.sum }

// EventNames returns the sorted names of the events that the export has seen, including
// those known before; nil for a userprofile.
func (e *Export) EventNames(known []string) []string {
	e.names.add(known)
	return e.names.list()
}

// PropertiesFound returns those of the job's properties that occurred in rows.
func (e *Export) PropertiesFound() []string { return e.sought.found }

// StillBad returns the bad rows of an export that has ended; nil if there are too many.
func (e *Export) StillBad() *ledger.StillBad {
	if e.sum.Bad > ledger.MaxStillBad {
		return nil
	}
	return &e.letters.stillBad
}

// progressEvery is how many fetches pass between two updates of what the status shows.
const progressEvery = 4096 / prefetchRows

// run makes the call and moves its rows. It always sends the export to the runner's
// channel at the end.
func (e *Export) run(ctx context.Context) {
	if e.Replay != nil {
		e.Err = e.republish(ctx)
	} else {
		e.Err = e.move(ctx)
	}
	if e.changes != nil {
		e.Err = e.finishSnapshot(ctx, e.Err)
	}
	if failure, ok := errors.AsType[*schema.Failure](e.Err); ok && needsLetter(failure, e.CutLetters) {
		e.mu.Lock()
		e.Lettered = true
		if err := e.letters.write(schema.ExportLetter(failure, time.Now()), deadletter.ExportID(e.Call)); err != nil {
			e.Err = err
		}
		e.mu.Unlock()
	}
	e.Took = time.Since(e.Started)
	e.showProgress()
	e.runner.ended <- e
}

// move makes the call, then in a loop fetches a few rows and publishes those that are new.
func (e *Export) move(ctx context.Context) (err error) {
	if err := e.begin(ctx); err != nil {
		e.Permit.Cancel()
		return err
	}
	if err := verify(ctx, e.records.value.encoder); err != nil {
		e.Permit.Cancel()
		return schemaFailure(&e.Call, err)
	}
	if e.changes != nil {
		if err := e.scanTopic(ctx); err != nil {
			e.Permit.Cancel()
			return err
		}
	}
	body, err := e.Permit.Export(ctx, e.Call)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // the call's outcome is already known
	defer func() { e.Charset = body.Charset() }()
	if err := e.setColumns(ctx, body.Columns()); err != nil {
		return err
	}
	defer e.sendWhenIdle(ctx)()
	defer func() { e.Repeated = body.Request().RepeatedHeaders }()
	defer func() { e.changes.observeEnd(body) }()
	admitted, head := false, head{columns: e.Columns}
	for n := 1; ; n++ {
		stopped := e.prefetched.fetch(body)
		if !admitted && !e.Call.Probe && e.prefetched.hasRow(stopped) {
			if err := e.admit(ctx); err != nil {
				return err
			}
			admitted = true
		}
		if !head.registered && !e.Call.Probe {
			if err := head.register(ctx, e.records.value.encoder, e.prefetched.all); err != nil {
				return schemaFailure(&e.Call, err)
			}
		}
		if err := e.publishFetched(body, stopped); err != nil {
			return e.end(err)
		}
		if n%progressEvery == 0 {
			e.showProgress()
		}
	}
}

// setColumns prepares for the rows below a header line.
func (e *Export) setColumns(ctx context.Context, header *schema.Columns) error {
	e.header, e.Columns = header, header
	view, err := e.stream.view(ctx, e.runner.CheckHeader, &e.Call, header)
	if err != nil {
		return err
	}
	if view != nil {
		e.prefetched.view, e.Columns = view, view.Columns()
	}
	e.sought.begin(e.Properties, e.header, e.Columns, e.stream.Privacy)
	e.names.setColumns(e.Columns)
	e.records.setColumns(e.stream, e.Columns)
	return nil
}

// end handles the end of the rows: err is nil for the end of the body.
func (e *Export) end(err error) error {
	failure, failed := errors.AsType[*schema.Failure](err)
	if err != io.EOF && !failed || failed && (failure.Examples != nil || failure.Class == schema.Cancelled) {
		return err // an error of Kafka, or the rows that were held back must not become dead letters, or not yet
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.letters.release(); err != nil {
		return err
	}
	if err == io.EOF {
		return nil
	}
	return err
}

// showProgress updates the progress that the status shows.
func (e *Export) showProgress() {
	now := e.sum
	e.live.Store(&now)
}
