// Package preview shows what an export would publish, without publishing it: its
// rows are processed by package transfer, like those of every export, up to the point
// where they would be sent.
package preview

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
	"dfinery-kafka/schema/encoding"
)

// Plan is the input of a preview. The Registry of the stream must not register
// schemas.
type Plan struct {
	Stream  transfer.Stream
	Call    schema.Export // as the owner would make it
	Topic   Topic         // of the stream
	Letters Topic
	Codec   *recordbatch.Codec
	Redact  func([]byte) []byte
	// CheckHeader checks the header of a stream that hides columns, and writes nothing.
	CheckHeader transfer.CheckHeader
	Schemas     *encoding.Evolution // of the stream's topic, in the ledger; nil: none. Run changes it.

	headerRefused bool
}

// Topic is a topic to which records would be published.
type Topic struct {
	Name       string
	Exists     bool // otherwise it would be created with Partitions
	Partitions int
	Pinned     int // partitions over which keys are distributed, with MODE=changes; 0: all
	MaxBatch   int // maximum size of a batch
}

// Result is what an export of the day would publish of its first rows if the day
// had no rows yet or, with MODE=changes, if its topic were empty.
type Result struct {
	Subject  string // of the values' schema; empty without a registry
	Schema   string // its text; empty without a registry, or if the columns conflict
	SchemaID int    // UnassignedSchemaID: the registry does not have the schema
	Columns  []Column
	Records  []Record
	Letters  []Record        // of bad rows; of the export, if it failed
	Sampled  int             // rows examined for the columns, without bad ones
	Whole    bool            // these are all rows of the answer
	Failure  *schema.Failure // of the export; nil for a success
}

// UnassignedSchemaID is a preview's placeholder for the id that the registry will assign.
const UnassignedSchemaID = 1<<31 - 1

// Run makes the call and processes this many rows like every export. More rows of
// the answer are only used for the columns. An error means that there is no result;
// a failed export is not an error.
func (p *Plan) Run(ctx context.Context, permit transfer.Permit, rows int) (*Result, error) {
	result := &Result{Columns: []Column{}, Records: []Record{}, Letters: []Record{}}
	kept := clone(p.Schemas)
	limited := &limitedPermit{Permit: permit, left: rows, survey: p.survey}
	if err := p.export(ctx, limited, result); err != nil {
		return nil, err
	}
	if body := limited.body; body != nil {
		err := body.sample()
		result.Whole = err == io.EOF // not errors.Is: a failure may wrap the transport's
		if f, failed := errors.AsType[*schema.Failure](err); failed && result.Failure == nil {
			result.Failure = f
		}
		_ = body.Body.Close() // the call's outcome is already known
		if !p.headerRefused { // its names may be cells
			result.Sampled, result.Columns, result.Schema = body.survey.rows, body.survey.result(), p.schemaText(body.Columns(), kept)
		}
	}
	if p.Schemas != nil && p.Stream.Values != nil {
		result.Subject = p.Schemas.Subject
		result.SchemaID, _ = p.Schemas.ID(len(p.Schemas.Fields))
	}
	return result, ctx.Err()
}

// export runs an export of a day that has no rows yet, and captures its records.
func (p *Plan) export(ctx context.Context, permit transfer.Permit, into *Result) error {
	runner := transfer.New(transfer.Config{
		Streams: []transfer.Stream{p.Stream}, Limit: 1, Sets: noRows{}, Redact: p.Redact, Wrote: func(*schema.DeadLetter) {},
		Evolve: func(string) transfer.Evolve { return p.evolve }, CheckHeader: p.CheckHeader, Profiles: noProfiles{}, Log: slog.New(slog.DiscardHandler),
	})
	partitions := p.capture(&p.Topic, &into.Records)
	if pinned := p.Topic.Pinned; pinned > 0 {
		partitions = partitions[:min(pinned, len(partitions))]
	}
	runner.Open(p.Stream.Name, partitions)
	runner.OpenLetters(p.capture(&p.Letters, &into.Letters))
	runner.Start(ctx, transfer.Job{Call: p.Call, Permit: permit, Started: time.Now()})
	e := <-runner.Ended()
	runner.TakeBack(e)
	if f, failed := errors.AsType[*schema.Failure](e.Err); failed {
		into.Failure = f
		p.headerRefused = f.Code == schema.PrivacyColumns
		return nil
	}
	return e.Err
}

// noRows is a ledger in which no day has rows.
type noRows struct{}

// LoadSet implements transfer.Sets.
func (noRows) LoadSet(context.Context, ledger.DayName, *ledger.Day) (*dedup.Set, error) {
	return new(dedup.Set), nil
}

// evolve keeps the stream's schemas only in memory.
func (p *Plan) evolve(_ context.Context, change func(*encoding.Evolution) (*encoding.Evolution, error)) (*encoding.Evolution, error) {
	next, err := change(clone(p.Schemas))
	switch {
	case err != nil:
		return nil, err
	case next != nil:
		p.Schemas = next
	}
	return clone(p.Schemas), nil
}

func clone(e *encoding.Evolution) *encoding.Evolution {
	if e == nil {
		return nil
	}
	return e.Clone()
}
