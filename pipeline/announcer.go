package pipeline

import (
	"context"
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// announcer logs and counts the events of days, streams and exports.
type announcer struct {
	config    *Config
	counts    *Counts
	schedule  *schedule.State
	transfers *transfer.Runner
	log       *slog.Logger
}

// announce logs and counts the schedule's events, and applies them to the days in memory.
func (a *announcer) announce(events []schedule.Event) {
	for _, e := range events {
		switch e.Kind {
		case schedule.DaySettled:
			if name := (ledger.DayName{Stream: e.Stream, Day: e.Day}); len(a.schedule.Record(name).Fingerprints) > 1 {
				a.transfers.Day(name).Rows.Rewrite()
			}
			continue
		case schedule.DayLost:
			a.counts.gap(e.Stream)
		case schedule.ColumnsChanged:
			a.counts.columnChange(e.Stream)
		case schedule.HidingBegins:
			a.log.Warn("columns are hidden from now on, but Kafka still has their earlier cells", "stream", e.Stream, "holding", a.config.StaleCopies(e.Stream, e.Topic),
				"do", a.config.StaleCopiesAdvice(e.Stream, e.Topic))
			continue
		}
		level, text, attrs := describe(&e)
		a.log.Log(context.Background(), level, text, attrs...)
	}
}

// outcome is an export that has ended and is in the ledger, but is not yet logged.
type outcome struct {
	export  *transfer.Export
	code    schema.Code
	failure *schema.Failure // nil: it was a success
}

// count counts an export that has ended.
func (a *announcer) count(ended *outcome) {
	if ended.failure != nil && (ended.failure.Class == schema.Cancelled || ended.failure.Class == schema.Postponed) {
		return
	}
	e := ended.export
	a.counts.export(e.Call.Stream, ended.code)
	if e.Lettered {
		a.counts.deadLetter(e.Call.Stream, schema.KindExport, ended.code)
	}
	a.counts.repeatedHeaders(e.Call.Stream, e.Repeated)
	if a.config.Observe != nil {
		a.config.Observe(e.Call.Stream, e.Took)
	}
}

// report logs the one line of an export, once the loop knows what comes next.
func (a *announcer) report(ended *outcome, waits schema.Wait) {
	e, sum := ended.export, ended.export.Sum()
	attrs := []any{
		"stream", e.Call.Stream, "day", e.Call.Day, "export", e.Call.N, "code", ended.code, "rows", sum.Rows(), "published", sum.Published,
		"known", sum.Duplicates, "bad", sum.Bad, "bytes", sum.Bytes, "took", e.Took.Round(time.Millisecond).String(), "state", a.schedule.Record(e.Day()).State,
	}
	if sum.Deleted > 0 {
		attrs = append(attrs, "deleted", sum.Deleted)
	}
	if next := a.schedule.Stream(e.Call.Stream).NextStart(e.Call.Day, waits, time.Now()); !next.IsZero() {
		attrs = append(attrs, "next", next.UTC().Truncate(time.Second))
	}
	level := slog.LevelInfo
	if ended.failure != nil {
		level = slog.LevelWarn
		attrs = append(attrs, "error", ended.failure.Detail)
	}
	a.log.Log(context.Background(), level, "export ended", attrs...)
	if e.Repeated > 0 {
		a.log.Warn("the export repeats its header line between rows: those lines are skipped", "stream", e.Call.Stream, "day", e.Call.Day,
			"lines", e.Repeated, "do", "nothing; report it to DFINERY: the answer may consist of several concatenated files")
	}
	if sum.NewBad > 0 {
		a.log.Warn("rows can't be published: they are dead letters", "stream", e.Call.Stream, "day", e.Call.Day, "new", sum.NewBad,
			"do", "dfinery-kafka dlq list --kind row shows them with their codes; connector/README.md says what to do about each code")
	}
}
