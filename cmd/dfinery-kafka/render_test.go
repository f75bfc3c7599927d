package main

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestRender: the text output of status, with streams, days and waits.
func TestRender(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)
	seoul := time.FixedZone("Asia/Seoul", 9*3600)
	before := func(d time.Duration) *time.Time {
		then := at.Add(-d)
		return &then
	}
	today := schema.DayOf(at, seoul)
	failed := "query_error: export events 2026-11-22: the API's query failed"
	days := []pipeline.DayStatus{
		{Day: today, State: ledger.Open, Published: 41},
		{Day: today - 1, State: ledger.Open, Published: 1000, MissingEvents: []string{"df_purchase"}},
		{Day: today - 2, State: ledger.Pending, Error: &failed},
		{Day: today - 3, State: ledger.Settled, Published: 900},
		{Day: today - 4, State: ledger.Gap},
		{Day: today - 40, State: ledger.Gap},
		{Day: today - 41, State: ledger.Gap},
	}
	halted := "the API says invalid_parameter"
	o := &overview{
		Service: "1234", At: at, Alive: true, Owner: &ledger.Owner{Instance: "a-1", Version: "v0.1.0", Since: *before(3 * time.Hour), Beat: *before(time.Second)},
		Breaker: breakerView{State: "open", Cause: "5 × query_error in a row", Until: before(-time.Minute)},
		Quota:   quotaView{Limit: 100, Remaining: 87, Made: 5, ResetsAt: before(-30 * time.Minute)},
		Newest:  map[string]time.Time{"events": *before(41 * time.Second)},
		Streams: []pipeline.StreamStatus{
			{Name: "events", Topic: "dfinery.events", Published: 1941, DeadLetters: 2, LastSuccess: before(2 * time.Minute), Days: days, First: today - 9,
				Next: &pipeline.NextStatus{Day: today, At: before(-8 * time.Minute), WaitsFor: schema.WaitPoll}},
			{Name: "users", Topic: "dfinery.users", First: today - schema.Reach, Paused: true, Halted: &halted, Next: &pipeline.NextStatus{Day: today, WaitsFor: schema.WaitHalted}},
		},
		Commands: []*ledger.Command{
			{Verb: "backfill", Stream: "events", Given: *before(time.Minute), By: "ana@desk"},
			{Verb: "replay", Stream: "users", Given: *before(time.Hour), Taken: before(50 * time.Hour), By: "ana@desk"},
		},
	}
	const want = `service 1234, owned by a-1 (v0.1.0) for 3h
calls left this hour: 87 of 100 (5 made here); breaker open until 2026-11-24T11:01:00Z (5 × query_error in a row)

events → dfinery.events
  2026-10-25           2026-11-24  Asia/Seoul
                       ·····x█!n▒  today 41 rows, in all 1941, dead rows 2
  newest row published 41s ago; last export 2m ago
  next: 2026-11-24, waits for poll until 2026-11-24T11:08:00Z
  failing: 2026-11-22 query_error: the API's query failed
  2026-11-23 lacks the events df_purchase
  2026-11-20 is lost at the source
  2026-10-14 to 2026-10-15 are lost at the source

users → dfinery.users, paused
  2026-10-25           2026-11-24  Asia/Seoul
  ·······························  today 0 rows, in all 0, dead rows 0
  nothing published yet; never exported
  halted: the API says invalid_parameter
  next: 2026-11-24, waits for halted

command backfill events, given 1m ago by ana@desk: waits for the owner

command replay users, given 60m ago by ana@desk: under way for 2 days

█ settled  ▒ open  · pending  ! failing  n narrowed  x gap
`
	var plain, coloured strings.Builder
	if err := render(&plain, o, seoul, false); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, plain.String()); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if err := render(&coloured, o, seoul, true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(coloured.String(), "\x1b[31mx\x1b[0m\x1b[32m█\x1b[0m") || strings.Count(coloured.String(), "\x1b[") != 2*(10+31+6) {
		t.Errorf("colours: %q", coloured.String())
	}
}
