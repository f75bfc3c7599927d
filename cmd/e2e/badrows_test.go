package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// badKinds are those of which each line is one bad row.
var badKinds = []struct {
	kind exporttest.BadKind
	code schema.Code
}{
	{exporttest.FewerFields, schema.FieldCount}, {exporttest.MoreFields, schema.FieldCount}, {exporttest.BareQuote, schema.BadQuotes},
	{exporttest.AfterQuote, schema.BadQuotes}, {exporttest.InvalidUTF8, schema.InvalidUTF8}, {exporttest.EmptyKey, schema.EmptyKey},
	{exporttest.HugeCell, schema.TooLarge},
}

// TestBadRows: each bad row has one dead letter, however often its day is exported and through two kill -9; the good ones are published.
// BAD_ROWS and BAD_OF make it larger: 10,000 of 1,000,000 for example.
func TestBadRows(t *testing.T) {
	t.Parallel()
	program, err := withFaults()
	if err != nil {
		t.Fatal(err)
	}
	rows, of := number(t, "BAD_ROWS", 700), number(t, "BAD_OF", 20_000)
	want := map[string]int{}
	var bad []exporttest.BadRow
	for i := range rows {
		kind := badKinds[i%len(badKinds)]
		if kind.kind == exporttest.HugeCell && i%100 != 6 {
			kind = badKinds[0] // a few large ones are enough
		}
		bad = append(bad, exporttest.BadRow{After: i * (of / max(rows, 1)), Kind: kind.kind, Size: 150_000})
		want[fmt.Sprintf("%s, bad %d", kind.code, bad[i].After)] = 1
	}
	b := newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 5, RowsPerDay: of},
		Faults: func(c exporttest.Call) *exporttest.Fault {
			f := &exporttest.Fault{BadRows: bad}
			if c.N <= 2 { // slow enough for checkpoints
				f.Drip, f.DripEvery = max(64<<10, of*400/60), 10*time.Millisecond
			}
			return f
		},
	})
	b.unbounded()
	b.environ["STREAM_EVENTS_START"], b.environ["KAFKA_COMPRESSION"] = "0", "none"
	b.createTopic("events", 3, map[string]string{"max.message.bytes": "100000"})
	for _, step := range []string{"fingerprints", "checkpointed"} {
		p := b.start(program, []string{"FAULT_STEP=" + step, "FAULT_COUNT=3"}, "run", "--once")
		select {
		case <-p.done:
		case <-time.After(time.Minute):
			t.Fatalf("the step %s is not reached three times:\n%s", step, p.text())
		}
	}
	for range 3 {
		began := time.Now()
		b.once(0)
		t.Logf("%s for an export of the day", time.Since(began).Round(time.Millisecond))
		b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "50ms"
	}
	compare(t, b.served(schema.Event), b.published("events"))
	got := map[string]int{}
	for _, l := range b.letters() {
		raw := rawRow(t, l.Row)
		cells := strings.SplitN(raw, ",", 3)
		got[fmt.Sprintf("%s, %s", l.Error.Code, cells[1])]++
		if got := l.Row.RawBytes; got != int64(len(raw)) && (l.Error.Code != schema.TooLarge || len(raw) != schema.MaxCopy) {
			t.Errorf("a letter has %d bytes of a row of %d", len(raw), got)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dead letters (-want +got):\n%s", diff)
	}
}

// rawRow is a letter's copy of its row.
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
