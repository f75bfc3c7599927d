package app_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestSchedule_DayThatAlwaysFails: the export of one day always fails. It is requested once an
// hour, and other days are not affected: after the first hour, in which the stream is halted,
// today is polled as usual.
func TestSchedule_DayThatAlwaysFails(t *testing.T) {
	tests := map[string]exporttest.Fault{
		"bad_header":        {Rename: map[string]string{"df_unified_id": "id"}},
		"invalid_parameter": {Code: schema.InvalidParameter},
		"not_csv":           {Page: "<html>maintenance</html>"},
		"maybe_torn":        {NoFinal: true, Then: exporttest.Close},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newSimulation(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 10}, Limits: exporttest.Limits{PerHour: -1}})
				w.config.Streams[0].Start.Back = 5
				w.config.Streams[0].PollInterval = 10 * time.Minute
				today := w.today()
				failingEvents := today - 3
				w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
					if c.Query.From != failingEvents {
						return nil
					}
					return &fault
				}
				w.run(7 * time.Hour)
				calls := map[schema.Day]int{}
				for _, c := range w.api.Calls() {
					calls[c.Query.From]++
				}
				t.Log(calls)
				least := 5
				if name == "maybe_torn" { // the wait doubles while the answer is cut at the same place
					least = 3
				}
				if n := calls[failingEvents]; n < least || n > 70 {
					t.Errorf("%d calls for the day that always fails", n)
				}
				if n := calls[today]; n < 30 {
					t.Errorf("%d polls of today in seven hours, want one every ten minutes, except in the first hour", n)
				}
				good := w.since(5)
				if name != "maybe_torn" { // every row but the last is published
					delete(good, failingEvents)
					w.compare(good)
				}
				// The first export of each of the other five days may end a halt.
				if halts := strings.Count(w.logged(), `msg="stream is halted`); halts > 1+5 {
					t.Errorf("the stream was halted %d times", halts)
				}
			})
		})
	}
}
