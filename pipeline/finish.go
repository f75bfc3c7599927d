package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// outcome is an export that has ended and is in the ledger, to be logged.
type outcome struct {
	export  *transfer.Export
	code    schema.Code
	failure *schema.Failure // nil: it was a success
}

// finish takes back an export that has ended: its rows and its outcome go into the ledger at once. The outcome to log is nil for a
// replay that went well, and for what Kafka ended.
func (o *owner) finish(ctx context.Context, e *transfer.Export) (*outcome, error) {
	o.transfers.TakeBack(e)
	if e.Replay != nil && e.Err == nil {
		return nil, o.checkpoint(ctx)
	}
	ended := &outcome{export: e, code: codeOK}
	switch {
	case errors.As(e.Err, &ended.failure):
		ended.code = ended.failure.Code
	case e.Err != nil:
		return nil, e.Err // Kafka's
	}
	if ended.failure == nil || ended.failure.Class != schema.Cancelled && ended.failure.Class != schema.Postponed {
		o.view.counts.export(e.Call.Stream, ended.code)
		if e.Lettered {
			o.view.counts.deadLetter(e.Call.Stream, schema.KindExport, ended.code)
		}
		o.view.counts.repeatedHeaders(e.Call.Stream, e.Repeated)
		if o.config.Observe != nil {
			o.config.Observe(e.Call.Stream, e.Took)
		}
	}
	o.acceptCuts(time.Now().UTC())
	return ended, o.checkpoint(ctx)
}

// report is the one log line of an export. It is written once the loop knows what comes next.
func (o *owner) report(ended *outcome) {
	e, sum := ended.export, ended.export.Sum()
	attrs := []any{
		"stream", e.Call.Stream, "day", e.Call.Day, "export", e.Call.N, "code", ended.code, "rows", sum.Rows(), "published", sum.Published,
		"known", sum.Duplicates, "bad", sum.Bad, "bytes", sum.Bytes, "took", e.Took.Round(time.Millisecond).String(), "state", o.schedule.Day(e.Day()).State,
	}
	if sum.Deleted > 0 {
		attrs = append(attrs, "deleted", sum.Deleted)
	}
	if next := o.schedule.NextStart(e.Day(), o.waits, time.Now()); !next.IsZero() {
		attrs = append(attrs, "next", next.UTC().Truncate(time.Second))
	}
	level := slog.LevelInfo
	if ended.failure != nil {
		level = slog.LevelWarn
		attrs = append(attrs, "error", ended.failure.Detail)
	}
	o.log.Log(context.Background(), level, "export ended", attrs...)
	if e.Repeated > 0 {
		o.log.Warn("the export repeats its header line between rows: those lines are skipped", "stream", e.Call.Stream, "day", e.Call.Day,
			"lines", e.Repeated, "do", "nothing; tell DFINERY, whose answer may be several files in one")
	}
	if sum.NewBad > 0 {
		o.log.Warn("rows can't be published: they are dead letters", "stream", e.Call.Stream, "day", e.Call.Day, "new", sum.NewBad,
			"do", "dfinery-kafka dlq list --kind row shows them with their codes; the table of failures says what each needs")
	}
}
