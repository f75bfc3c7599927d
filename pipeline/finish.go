package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// outcome is an export that has ended and is in the ledger, to be told in the log.
type outcome struct {
	export  *export
	code    schema.Code
	failure *schema.Failure // nil: it was a success
}

// finish takes back an export that has ended: its rows and its outcome go into the ledger at once. What is to be told of it is nil for a
// replay that went well, and for what Kafka ended.
func (t *tenure) finish(ctx context.Context, e *export) (*outcome, error) {
	t.takeBack(e)
	if e.replay != nil && e.err == nil {
		return nil, t.checkpoint(ctx)
	}
	o := &outcome{export: e, code: codeOK}
	switch {
	case errors.As(e.err, &o.failure):
		o.code = o.failure.Code
	case e.err != nil:
		return nil, e.err // Kafka's
	}
	if o.failure == nil || o.failure.Class != schema.Cancelled && o.failure.Class != schema.Postponed {
		t.service.counts.export(e.stream.Name, o.code)
		if e.lettered {
			t.service.counts.deadLetter(e.stream.Name, schema.KindExport, o.code)
		}
		t.service.counts.repeatedHeaders(e.stream.Name, e.repeated)
		if t.service.Observe != nil {
			t.service.Observe(e.stream.Name, e.took)
		}
	}
	t.acceptCuts(time.Now().UTC())
	return o, t.checkpoint(ctx)
}

// report is the one log line of an export. It is written once the loop has looked at what comes next.
func (t *tenure) report(o *outcome) {
	e, sum := o.export, o.export.sum
	attrs := []any{
		"stream", e.stream.Name, "day", e.day.name.Day, "export", e.call.N, "code", o.code, "rows", sum.Rows(), "published", sum.Published,
		"known", sum.Duplicates, "bad", sum.Bad, "bytes", sum.Bytes, "took", e.took.Round(time.Millisecond).String(), "state", t.schedule.Day(e.day.name).State,
	}
	if next := t.schedule.NextStart(e.day.name, t.waits, time.Now()); !next.IsZero() {
		attrs = append(attrs, "next", next.UTC().Truncate(time.Second))
	}
	level := slog.LevelInfo
	if o.failure != nil {
		level = slog.LevelWarn
		attrs = append(attrs, "error", o.failure.Detail)
	}
	t.log.Log(context.Background(), level, "export ended", attrs...)
	if e.repeated > 0 {
		t.log.Warn("the export repeats its header line between rows: those lines are skipped", "stream", e.stream.Name, "day", e.day.name.Day,
			"lines", e.repeated, "do", "nothing; tell DFINERY, whose answer may be several files in one")
	}
	if sum.NewBad > 0 {
		t.log.Warn("rows can't be published: they are dead letters", "stream", e.stream.Name, "day", e.day.name.Day, "new", sum.NewBad,
			"do", "dfinery-kafka dlq list --kind row shows them with their codes; the table of failures says what each needs")
	}
}
