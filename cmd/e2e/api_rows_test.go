package e2e

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestRows_Once exports three days and compares the rows in the topic. RUN_ROWS is the number
// of rows of each day.
func TestRows_Once(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 1, RowsPerDay: number(t, "RUN_ROWS", 1500), Odd: 0.1, Duplicates: 0.05}})
	b.runOnce(0)
	b.compareEvents()

	// A second run publishes nothing.
	before := b.published("events")
	b.runOnce(0)
	if diff := cmp.Diff(len(before), len(b.published("events"))); diff != "" {
		t.Errorf("records after a second run: %s", diff)
	}
}

// TestRows_ExportedAgain exports the same days ten times, each time in another order, with
// identical rows, late rows, rows that later exports lack, and columns that are added, empty,
// moved and removed. Each row is published as often as the export with most copies of it has it.
func TestRows_ExportedAgain(t *testing.T) {
	t.Parallel()
	today := currentDay()
	later := func(_ schema.Day, export int, columns []string) []string {
		if export < 3 {
			return columns
		}
		return append(columns, "df_later")
	}
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data: exporttest.Data{
			Seed: 71, RowsPerDay: 400, Odd: 0.2, Duplicates: 0.2, Shuffle: true, Late: 0.2, LateFrom: 4, Gone: 0.1, GoneFrom: 6,
			Header: exporttest.Headers(exporttest.Rotated, exporttest.NewColumn("campaign", today-1), exporttest.EmptyColumn("df_nothing"), later),
		},
	})
	b.unlimited()
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_LOOKBACK"] = "1", "2"
	b.pollEvery("10ms")
	log := ""
	for range 10 {
		log += b.runOnce(0)
	}
	if n := len(b.api.Calls()); n != 20 {
		t.Errorf("%d calls, want ten for each of two days", n)
	}
	b.compareEvents()
	b.checkLedger()
	expectText(t, log, "rows that were published are missing from the latest export of their day", "the export's columns have changed")
}

// badKinds are the kinds of defects that make exactly one bad row of a line.
var badKinds = []struct {
	kind exporttest.BadKind
	code schema.Code
}{
	{exporttest.FewerFields, schema.FieldCount}, {exporttest.MoreFields, schema.FieldCount}, {exporttest.BareQuote, schema.BadQuotes},
	{exporttest.AfterQuote, schema.BadQuotes}, {exporttest.InvalidUTF8, schema.InvalidUTF8}, {exporttest.EmptyKey, schema.EmptyKey},
	{exporttest.HugeCell, schema.TooLarge},
}

// TestRows_Bad exports days with bad rows several times, with two crashes: each bad row has one
// dead letter, and the good rows are published. BAD_ROWS and BAD_OF make it larger, for example
// 10,000 of 1,000,000.
func TestRows_Bad(t *testing.T) {
	t.Parallel()
	rows, of := number(t, "BAD_ROWS", 700), number(t, "BAD_OF", 10_000)
	want := map[string]int{}
	var bad []exporttest.BadRow
	for i := range rows {
		kind := badKinds[i%len(badKinds)]
		if kind.kind == exporttest.HugeCell && i%100 != 6 {
			kind = badKinds[0] // only a few large rows
		}
		bad = append(bad, exporttest.BadRow{After: i * (of / max(rows, 1)), Kind: kind.kind, Size: 150_000})
		want[fmt.Sprintf("%s, bad %d", kind.code, bad[i].After)] = 1
	}
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 5, RowsPerDay: of},
		Faults: func(c exporttest.Call) *exporttest.Fault {
			f := &exporttest.Fault{BadRows: bad}
			if c.N <= 2 { // slow enough for checkpoints during the export
				f.Drip, f.DripEvery = max(64<<10, of*400/60), 10*time.Millisecond
			}
			return f
		},
	})
	b.unlimited()
	b.environ["STREAM_EVENTS_START"], b.environ["KAFKA_COMPRESSION"] = "0", "none"
	b.createTopic("events", 3, map[string]string{"max.message.bytes": "100000"})
	for _, step := range []string{"fingerprints", "checkpointed"} {
		b.startToCrash(step, 3, "run", "--once").wait(time.Minute)
	}
	for range 3 {
		began := time.Now()
		b.runOnce(0)
		t.Logf("%s for an export of the day", time.Since(began).Round(time.Millisecond))
		b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "50ms"
	}
	b.compareEvents()
	got := map[string]int{}
	for _, l := range b.deadLetters() {
		raw := rawRow(t, l.Row)
		cells := strings.SplitN(raw, ",", 3)
		got[fmt.Sprintf("%s, %s", l.Error.Code, cells[1])]++
		if got := l.Row.RawBytes; got != int64(len(raw)) && (l.Error.Code != schema.TooLarge || len(raw) != schema.MaxCopy) {
			t.Errorf("a dead letter has %d bytes of a row of %d", len(raw), got)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// rawRow returns the row that a dead letter contains.
func rawRow(t *testing.T, l *schema.LetterRow) string {
	t.Helper()
	if l.RawBase64 == "" {
		return l.Raw
	}
	raw, err := base64.StdEncoding.DecodeString(l.RawBase64)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestRows_CutEverywhere cuts, resets or stalls the answer of one day at every CUT_EVERY-th
// byte, one call after the other: no torn row is published, no row is lost or published twice,
// and each failed call has one dead letter.
func TestRows_CutEverywhere(t *testing.T) {
	t.Parallel()
	every := number(t, "CUT_EVERY", 97*150)
	breaks := []exporttest.Break{exporttest.Close, exporttest.Reset, exporttest.Stall}
	api := &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 81, RowsPerDay: 2000, Odd: 0.2, Duplicates: 0.02},
		Faults: func(c exporttest.Call) *exporttest.Fault {
			if at := int64((c.N - 1) * every); at < 2000*350 {
				return &exporttest.Fault{Then: breaks[c.N%len(breaks)], At: at}
			}
			return nil
		},
	}
	b := newTestbed(t, api)
	b.unlimited()
	for name, value := range map[string]string{
		"STREAM_EVENTS_START": "0", "BREAKER_FAILURES": "100000", "RETRY_BACKOFF": "1ms", "RETRY_MAX_BACKOFF": "2ms", "DFINERY_IDLE_TIMEOUT": "100ms",
		"DFINERY_HEADER_TIMEOUT": "200ms",
	} {
		b.environ[name] = value
	}
	b.runOnce(0)
	b.compareEvents()
	b.checkLedger()
	letters, codes := b.deadLetters(), map[schema.Code]int{}
	for _, l := range letters {
		codes[l.Error.Code]++
	}
	if diff := cmp.Diff(len(b.api.Calls())-1, len(letters)); diff != "" {
		t.Errorf("failed calls and dead letters (-want +got): %s", diff)
	}
	for code := range codes {
		switch code {
		case schema.CutBody, schema.Timeout, schema.Connection:
		default:
			t.Errorf("%d dead letters for %s", codes[code], code)
		}
	}
}

// TestRows_SeveralStreams exports two streams of events and one of profiles, each with its own
// filter, key and topic, and compares all three topics.
func TestRows_SeveralStreams(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 53, RowsPerDay: 800, Users: 300, Odd: 0.1}})
	b.unlimited()
	for name, value := range map[string]string{
		"STREAMS": "events,purchases,users", "STREAM_PURCHASES_EVENTS": "df_purchase,custom_event_20", "STREAM_PURCHASES_START": "1",
		"STREAM_PURCHASES_TOPIC": b.prefix + "purchases", "STREAM_USERS_EXPORT": "userprofile", "STREAM_USERS_TOPIC": b.prefix + "users",
		"STREAM_PURCHASES_PROPERTIES": "df_discount,campaign", "STREAM_EVENTS_EXCLUDE_EVENTS": "df_login",
	} {
		b.environ[name] = value
	}
	b.runOnce(0)
	today := currentDay()
	want := map[string][]row{"events": slices.Concat(b.rowsOf(today, "df_login"), b.rowsOf(today-1, "df_login"), b.rowsOf(today-2, "df_login"))}
	for day := today - 1; day <= today; day++ {
		want["purchases"] = append(want["purchases"], tableRows(b.api.Data.Export(exporttest.Query{Kind: schema.Event, From: day, To: day,
			Filter: schema.Filter{Events: []string{"df_purchase", "custom_event_20"}, Properties: []string{"df_discount", "campaign"}}}))...)
	}
	want["users"] = tableRows(b.api.Data.Export(exporttest.Query{Kind: schema.UserProfile, From: today, To: today}))
	for stream, rows := range want {
		compareRows(t, rows, b.published(stream))
	}
}

// TestRows_AtLeastOnce runs with DELIVERY=at-least-once: with one instance at a time no row is
// published twice.
func TestRows_AtLeastOnce(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 52, RowsPerDay: 500, Late: 0.2, LateFrom: 2}})
	b.unlimited()
	b.environ["DELIVERY"] = "at-least-once"
	b.pollEvery("100ms")
	for range 4 {
		p := b.start("run")
		p.await(`"code":"ok"`)
		p.kill()
	}
	out := b.runOnce(0)
	expectText(t, out, "DELIVERY=at-least-once: no instance is fenced")
	b.compareEvents()
}
