package e2e

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// TestEmptyDays exports from an API that answers days without events with 204, 404 or an empty
// body: with DFINERY_EMPTY_DAY these days count as exported, but only if other days have rows. If
// every day is answered this way, the stream is halted.
func TestEmptyDays(t *testing.T) {
	t.Parallel()
	nothing := map[string]answer{"204": {status: 204}, "404": {status: 404, body: "no data"}, "empty": {}}
	row := func(back int) string { return fmt.Sprintf("df_unified_id,v\nu%d,1\n", back) }
	for kind, none := range nothing {
		code := map[string]schema.Code{"204": "http_204", "404": "http_404", "empty": schema.EmptyBody}[kind]
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			// One of four days has rows.
			b, reply := newAnswering(t, func(back, _ int) answer {
				if back == 2 {
					return csvOf("text/csv", row(2))
				}
				return none
			})
			b.set("STREAM_EVENTS_START", "3", "DFINERY_EMPTY_DAY", kind)
			b.runOnce(0)
			compareRows(t, rowsOf(row(2)), b.published("events"))
			for _, d := range b.status().Streams[0].Days {
				if d.State != "open" && d.State != "settled" {
					t.Errorf("%s is %s", d.Day, d.State)
				}
			}

			// Now every day gets this answer, as from a wrong address: it is no longer accepted.
			reply(func(int, int) answer { return none })
			b.set("STREAM_EVENTS_START", "4")
			b.pollEvery("50ms")
			expectText(t, b.runOnce(3), `"msg":"stream is halted`, string(code))
			for _, d := range b.status().Streams[0].Days {
				if d.Day == (currentDay()-2).String() && d.Rows != 1 {
					t.Errorf("the day with rows has %d", d.Rows)
				}
			}
		})
		t.Run(kind+" for all days", func(t *testing.T) {
			t.Parallel()
			b, reply := newAnswering(t, func(int, int) answer { return none })
			b.set("STREAM_EVENTS_START", "3", "DFINERY_EMPTY_DAY", kind, "BREAKER_FAILURES", "1")
			expectText(t, b.runOnce(3), `"msg":"stream is halted`, "DFINERY_EMPTY_DAY")
			if diff := cmp.Diff(map[schema.Code]int{code: 4}, b.deadLettersByCode()); diff != "" {
				t.Errorf("dead letters (-want +got):\n%s", diff)
			}
			for day, state := range b.dayStates() {
				if state != "pending" {
					t.Errorf("%s is %s", day, state)
				}
			}
			reply(func(back, _ int) answer { return csvOf("text/csv", row(back)) })
			b.command(nil, "resume", "events")
			b.runOnce(0)
			if n := len(b.published("events")); n != 4 {
				t.Errorf("%d rows are published at the end", n)
			}
		})
		t.Run(kind+" without the variable", func(t *testing.T) {
			t.Parallel()
			b, _ := newAnswering(t, func(back, _ int) answer {
				if back == 1 {
					return csvOf("text/csv", row(1))
				}
				return none
			})
			b.set("STREAM_EVENTS_START", "1", "BREAKER_FAILURES", "1")
			expectText(t, b.runOnce(3), "set DFINERY_EMPTY_DAY="+kind)
			if got := b.deadLettersByCode(); got[code] == 0 {
				t.Errorf("dead letters: %v", got)
			}
		})
	}
}
