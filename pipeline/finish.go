package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"dfinery-kafka/schema"
)

// finish takes back an export that has ended: its rows and its outcome go into the ledger at once.
func (t *tenure) finish(ctx context.Context, e *export) error {
	t.exports--
	e.day.export, e.day.ended, e.day.set = nil, e, e.set
	if e.replay != nil && e.err == nil {
		return t.checkpoint(ctx)
	}
	code := codeOK
	var failure *schema.Failure
	switch {
	case errors.As(e.err, &failure):
		code = failure.Code
		if failure.Class != schema.Cancelled {
			t.service.counts.export(e.stream.Name, code)
			t.service.counts.deadLetter(e.stream.Name, schema.KindExport, code)
		}
	case e.err != nil:
		return e.err // Kafka's
	default:
		t.service.counts.export(e.stream.Name, code)
	}
	if t.service.Observe != nil && (failure == nil || failure.Class != schema.Cancelled) {
		t.service.Observe(e.stream.Name, e.took)
	}
	err := t.checkpoint(ctx)
	t.report(e, code, failure)
	return err
}

// report is the one log line of an export.
func (t *tenure) report(e *export, code schema.Code, failure *schema.Failure) {
	sum := e.sum
	attrs := []any{
		"stream", e.stream.Name, "day", e.day.name.Day, "export", e.call.N, "code", code, "rows", sum.Rows(), "published", sum.Published,
		"known", sum.Duplicates, "bad", sum.Bad, "bytes", sum.Bytes, "took", e.took.Round(time.Millisecond).String(), "state", e.day.record.State,
	}
	level := slog.LevelInfo
	if failure != nil {
		level = slog.LevelWarn
		attrs = append(attrs, "error", failure.Detail)
	}
	now := time.Now()
	day, loc := e.day.name.Day, t.service.Location
	if next, ok := t.stream(e.stream.Name).next(day, schema.DayOf(now, loc), now, loc); ok {
		attrs = append(attrs, "next", next.at.UTC().Truncate(time.Second)) // of this day, if nothing else holds it up
	}
	t.log.Log(context.Background(), level, "export ended", attrs...)
}
