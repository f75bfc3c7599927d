package pipeline

import (
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// scheduleKinds returns the kinds of events that package schedule declares.
func scheduleKinds(t *testing.T) (kinds []schedule.EventKind) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "schedule/event.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "EventKind" {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			kinds = append(kinds, schedule.EventKind(text))
		}
		return true
	})
	return kinds
}

// TestDescribe_EveryKind: each kind of event has its own log message, which names the stream
// and the day, and at warn or above also what to do.
func TestDescribe_EveryKind(t *testing.T) {
	t.Parallel()
	kinds := scheduleKinds(t)
	if len(kinds) < 20 {
		t.Fatalf("found only %d kinds of events: were their declarations moved?", len(kinds))
	}
	for _, kind := range kinds {
		if kind == schedule.DaySettled || kind == schedule.HidingBegins {
			continue // the announcer handles these itself
		}
		level, text, attrs := describe(&schedule.Event{Kind: kind, Stream: "events", Day: today, Code: schema.QueryError, EventName: "a", NameKind: schedule.NameOfEvent})
		given := map[any]any{}
		for i := 0; i < len(attrs); i += 2 {
			given[attrs[i]] = attrs[i+1]
		}
		if text == "schedule changed" || given["stream"] != "events" || given["day"] != today {
			t.Errorf("%s: %q %v, want a message that names stream and day", kind, text, attrs)
		}
		if level >= slog.LevelWarn && given["do"] == nil {
			t.Errorf("%s: %q does not say what to do", kind, text)
		}
	}
}

// TestAnnouncer_Tell: lost days and new columns are counted, and a settled day with
// fingerprints in several ranges is marked to be rewritten as one range.
func TestAnnouncer_Tell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := b.takeOver()
		now := time.Now()
		name := func(back schema.Day) ledger.DayName {
			return ledger.DayName{Stream: "events", Day: schema.DayOf(now, planned) - back}
		}
		settled := func(ranges ...ledger.Range) ledger.Day {
			return ledger.Day{State: ledger.Settled, Exports: 1, Generation: 1, LastSuccess: &now, Fingerprints: ranges}
		}
		o.schedule.Load(new(ledger.Service), map[ledger.DayName]ledger.Day{
			name(1): settled(ledger.Range{0, 1, 2}), name(2): settled(ledger.Range{0, 1, 2}, ledger.Range{0, 5, 6}),
		}, now)
		for back := schema.Day(1); back <= 2; back++ {
			o.transfers.Day(name(back)).Rows = dedup.Day{Set: new(dedup.Set)}
			o.announcer.announce([]schedule.Event{{Kind: schedule.DaySettled, Stream: "events", Day: name(back).Day}})
		}
		if one, two := o.transfers.Day(name(1)).Rows.Rewriting(), o.transfers.Day(name(2)).Rows.Rewriting(); one || !two {
			t.Errorf("rewritten: %t for a day with one range, %t for one with two; want false, true", one, two)
		}
		o.announcer.announce([]schedule.Event{
			{Kind: schedule.DayLost, Stream: "events", Day: name(40).Day}, {Kind: schedule.ColumnsChanged, Stream: "users", Added: []string{"a"}},
			{Kind: schedule.HidingBegins, Stream: "events"},
		})
		if counts := o.counts.copies(); counts["events"].Gaps != 1 || counts["users"].ColumnChanges != 1 {
			t.Errorf("counts %+v, want a gap in events and a new column in users", counts)
		}
		b.expectLogged(1, `holding="topic events rows, dead dead letters for 90 days, ledger.rows fingerprints of whole rows for 35 days"`)
	})
}

// TestAnnouncer_Count: all calls that were not cancelled or deferred are counted as exports,
// with their dead letters.
func TestAnnouncer_Count(t *testing.T) {
	t.Parallel()
	v := New(Config{ID: "1234"}).view
	observed := 0
	a := &announcer{config: &Config{Observe: func(string, time.Duration) { observed++ }}, counts: &v.counts}
	for _, failure := range []*schema.Failure{
		nil, {Code: schema.QueryError, Class: schema.Outage}, {Code: "cancelled", Class: schema.Cancelled}, {Code: "postponed", Class: schema.Postponed},
	} {
		ended := &outcome{export: &transfer.Export{Job: transfer.Job{Call: schema.Export{Stream: "events"}}}, code: codeOK, failure: failure}
		if failure != nil {
			ended.code, ended.export.Lettered = failure.Code, true
		}
		ended.export.Repeated = 2
		a.count(ended)
	}
	got := v.Totals()["events"]
	if diff := cmp.Diff(map[schema.Code]int64{codeOK: 1, schema.QueryError: 1}, got.Exports); diff != "" {
		t.Errorf("exports (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[LetterKind]int64{{schema.KindExport, schema.QueryError}: 1}, got.Letters); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if observed != 2 || got.RepeatedHeaders != 4 {
		t.Errorf("%d exports observed, %d repeated headers, want 2 and 4", observed, got.RepeatedHeaders)
	}
}
