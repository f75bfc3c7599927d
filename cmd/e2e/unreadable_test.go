package e2e

import (
	"cmp"
	"encoding/json"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestReplayUnreadable: letters of rows that can't be read as rows of the stream as it is now, because its key is another one or because
// somebody else wrote them, are refused by their places, and stop neither the replay of others nor the owner.
func TestReplayUnreadable(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 33, RowsPerDay: 30}})
	b.unbounded()
	b.environ["STREAM_EVENTS_START"] = "0"
	b.once(0)
	b.quiet()
	letter := func(columns []string, raw string) *kgo.Record {
		l := schema.DeadLetter{Kind: schema.KindRow, Service: "1234", Stream: "events", Day: schema.DayOf(b.api.Calls()[0].At, seoul), Export: 1,
			Row: &schema.LetterRow{Line: 2, Raw: raw, RawBytes: int64(len(raw)), Columns: columns}}
		l.Error.Code = schema.TooLarge
		l.Row.ID = rowID(t, []string{"df_unified_id", "a"}, cmp.Or(strings.ReplaceAll(raw, `"`, ""), "u,")) // of what can be read
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
	p := b.start(binary, nil, "run")
	p.await(isOwner)
	out, got := b.run("dlq", "replay", "--kind", "row", "--yes")
	if got.Code != 1 {
		t.Errorf("exit %d, want 1: not all letters were replayed", got.Code)
	}
	expect(t, out+got.Stderr, "2 rows published, 0 were published already, 1 are bad still", "4 letters can't be replayed",
		"its row has no column df_unified_id, which is the stream's key now", `column "a" stands there twice`, "column 2 has no name", "there is no row in 0 bytes")
	p.alive()
	p.kill()
}

// TestReplayOfNowhere: a command that names letters of a partition that there is not, as of a topic that was made anew with fewer, is
// answered at once.
func TestReplayOfNowhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 34, RowsPerDay: 30}})
	b.unbounded()
	b.once(0)
	b.quiet()
	p := b.start(binary, nil, "run")
	p.await(isOwner)
	value := `{"id":"nowhere","service":"1234","verb":"replay","stream":"events","letters":[[-1,0],[99,0],[0,-7],[0,1000000],[0,9223372036854775807]],"given":"2026-11-22T00:00:00Z"}`
	b.put("ledger", &kgo.Record{Key: []byte("command/nowhere"), Value: []byte(value)})
	p.await("5 letters can't be replayed")
	p.kill()
}
