package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestReplay_Rows replays rows that were too large for the topic after its limit was raised: each
// is published once.
func TestReplay_Rows(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 31, RowsPerDay: 600, Odd: 0.1}})
	b.unlimited()
	b.environ["KAFKA_COMPRESSION"], b.environ["STREAM_EVENTS_START"] = "none", "1"
	b.createTopic("events", 3, map[string]string{"max.message.bytes": "1000"})
	b.runOnce(0)
	published, letters := len(b.published("events")), b.deadLetters()
	for _, l := range letters {
		if l.Error.Code != schema.TooLarge || l.Error.Origin != schema.OriginKafka {
			t.Errorf("a dead letter for another reason: %+v", l.Error)
		}
	}
	if len(letters) == 0 || published == 0 || published+len(letters) != 1200 {
		t.Fatalf("%d rows published, %d dead letters, of 1200 rows", published, len(letters))
	}
	list, got := b.run("dlq", "list", "--kind", "row", "--json")
	if got.Code != 0 || strings.Count(list, "\n") != len(letters) {
		t.Fatalf("exit %d, listed:\n%s%s", got.Code, list, got.Stderr)
	}
	var first struct{ Name string }
	if err := json.Unmarshal([]byte(list[:strings.Index(list, "\n")]), &first); err != nil {
		t.Fatal(err)
	}
	shown, got := b.run("dlq", "show", first.Name)
	expectText(t, shown, `"code": "too_large"`, `"raw": `)
	if got.Code != 0 {
		t.Errorf("exit %d: %s", got.Code, got.Stderr)
	}

	b.setTopicConfig("events", "max.message.bytes", "1000000")
	plan, _ := b.run("dlq", "replay", "--code", "too_large", "--plan")
	expectText(t, plan, "rows to be read again")
	b.pollEvery("1h")
	p := b.start("run")
	p.await(isOwner)
	for n, want := range []string{"rows published, 0 were published already, 0 are still bad", "nothing to do: "} {
		out, got := b.run("dlq", "replay", "--code", "too_large")
		if got.Code != 0 {
			t.Fatalf("replay %d: exit %d: %s%s\n%s", n, got.Code, out, got.Stderr, p.log())
		}
		expectText(t, out, want)
	}
	p.kill()
	b.compareEvents()
}

// TestReplay_Exports: the replay of an export's dead letter exports its day again.
func TestReplay_Exports(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 32, RowsPerDay: 300}})
	b.unlimited()
	b.api.Inject(exporttest.Fault{Code: schema.UnknownError})
	b.runOnce(0)
	calls := len(b.api.Calls())
	b.pollEvery("1h")
	b.put("dead-letters", &kgo.Record{Value: exportLetter(t, currentDay())}) // the other letter is resolved
	p := b.start("run")
	p.await(isOwner)
	out, got := b.run("dlq", "replay", "--kind", "export", "--yes")
	if got.Code != 0 {
		t.Fatalf("exit %d: %s%s\n%s", got.Code, out, got.Stderr, p.log())
	}
	expectText(t, out, "plan: 1 dead letter: ", "skipped: 1 dead letter, already resolved", "1 day exported again")
	if n := len(b.api.Calls()); n != calls+1 {
		t.Errorf("%d calls for the replay, want 1", n-calls)
	}
	p.kill()
	b.compareEvents()
}

// TestReplay_ManyLetters replays letters with more bytes than the owner keeps in memory, and many
// letters of one day with one call. The plan reports days that are out of the API's reach.
func TestReplay_ManyLetters(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsOn: func(schema.Day) int { return 0 }}})
	b.unlimited()
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK"] = "0", "1h", "0"
	b.createDeadLetterTopic(3)
	var want []map[string]string
	var letters []*kgo.Record
	now := time.Now()
	for i := range 600 {
		user, pad := fmt.Sprintf("u%d", i), strings.Repeat("x", 15_000)
		want = append(want, map[string]string{"df_unified_id": user, "pad": pad})
		letters = append(letters, &kgo.Record{Partition: int32(i % 3), Value: rowLetter(t, user, pad, now)})
	}
	b.put("dead-letters", letters...)
	p := b.start("run")
	p.await("export ended")
	letters = nil
	today := schema.DayOf(now, seoul)
	for _, day := range []schema.Day{today, today, today, today - 40} {
		letters = append(letters, &kgo.Record{Partition: 0, Value: exportLetter(t, day)})
	}
	b.put("dead-letters", letters...)
	calls := len(b.api.Calls())
	out, got := b.run("dlq", "replay", "--yes", "--wait", "1m")
	if got.Code != 0 {
		t.Errorf("exit %d: %s%s\n%s", got.Code, out, got.Stderr, p.log())
	}
	expectText(t, out, "plan: 604 dead letters: 600 rows to be read again, 1 day to be exported again (1 call); 1 day out of the API's reach",
		"600 rows published, 0 were published already, 0 are still bad, 1 day exported again")
	if n := len(b.api.Calls()) - calls; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	if out, got := b.run("dlq", "replay", "2/5", "0/4000", "--yes"); got.Code != 1 || !strings.Contains(got.Stderr, "no dead letter of service 1234 at 0/4000") {
		t.Errorf("a letter that doesn't exist: exit %d: %s%s", got.Code, out, got.Stderr)
	}
	p.kill()
	compareRows(t, newRows(want...), b.published("events"))
	state := b.ledgerState()
	for _, c := range state.Commands {
		if c.Letters != nil {
			t.Errorf("command %s has ended and keeps %d letters", c.ID, len(c.Letters))
		}
	}
}

// TestReplay_UnreadableRows: letters whose rows can't be parsed with the stream's configuration,
// because its key has changed or another program wrote them, are reported by their positions.
// The replay of the other letters succeeds, and the owner goes on.
func TestReplay_UnreadableRows(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 33, RowsPerDay: 30}})
	b.unlimited()
	b.environ["STREAM_EVENTS_START"] = "0"
	b.runOnce(0)
	b.pollEvery("1h")
	letter := func(columns []string, raw string) *kgo.Record {
		l := schema.DeadLetter{Kind: schema.KindRow, Service: "1234", Stream: "events", Day: schema.DayOf(b.api.Calls()[0].At, seoul), Export: 1,
			Row: &schema.LetterRow{Line: 2, Raw: raw, RawBytes: int64(len(raw)), Columns: columns}}
		l.Error.Code = schema.TooLarge
		l.Row.ID = rowID(t, []string{"df_unified_id", "a"}, cmp.Or(strings.ReplaceAll(raw, `"`, ""), "u,")) // of the cells that can be parsed
		value, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		return &kgo.Record{Key: []byte("1234/events"), Value: value, Headers: []kgo.RecordHeader{{Key: "__connect.errors.stage", Value: []byte("row")},
			{Key: "__connect.errors.exception.class.name", Value: []byte("too_large")}}}
	}
	b.put("dead-letters", letter([]string{"df_unified_id", "a"}, "u1,1"), letter([]string{"user", "a"}, "u1,2"), letter([]string{"df_unified_id", "a", "a"}, "u1,3"),
		letter([]string{"df_unified_id", ""}, "u1,4"), letter([]string{"df_unified_id", "a"}, ""), letter([]string{"df_unified_id", "a"}, "u1,\"5"),
		letter([]string{"df_unified_id", "a"}, "u1,6"))
	p := b.start("run")
	p.await(isOwner)
	out, got := b.run("dlq", "replay", "--kind", "row", "--yes")
	if got.Code != 1 {
		t.Errorf("exit %d, want 1: not all letters were replayed", got.Code)
	}
	expectText(t, out+got.Stderr, "2 rows published, 0 were published already, 1 are still bad", "4 letters can't be replayed",
		"its row has no column df_unified_id, which is in the stream's key now", `column "a" occurs twice`, "column 2 has no name", "no row in 0 bytes")
	p.expectAlive()
	p.kill()
}

// TestReplay_MissingPartition: a replay of letters in a partition that does not exist, as after
// the topic was replaced by one with fewer, fails at once.
func TestReplay_MissingPartition(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 34, RowsPerDay: 30}})
	b.unlimited()
	b.runOnce(0)
	b.pollEvery("1h")
	p := b.start("run")
	p.await(isOwner)
	value := `{"id":"nowhere","service":"1234","verb":"replay","stream":"events","letters":[[-1,0],[99,0],[0,-7],[0,1000000],[0,9223372036854775807]],"given":"2026-11-22T00:00:00Z"}`
	b.put("ledger", &kgo.Record{Key: []byte("command/nowhere"), Value: []byte(value)})
	p.await("5 letters can't be replayed")
	p.kill()
}
