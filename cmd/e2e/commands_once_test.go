package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// TestOnce_Commands: "run --once" executes all commands that were submitted since the last run.
func TestOnce_Commands(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 200}})
	b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "1h"
	expectNoneOpen := func() {
		t.Helper()
		if open := b.status().Commands; len(open) > 0 {
			t.Errorf("commands that are not executed: %v", open)
		}
	}
	records := func() map[string]int {
		byDay := map[string]int{}
		for _, m := range b.consume("events", kgo.ReadCommitted()) {
			byDay[strings.Split(m.Export, "/")[2]]++
		}
		return byDay
	}
	today := currentDay()
	day := func(back schema.Day) string { return (today - back).String() }

	b.runOnce(0)
	if diff := cmp.Diff(map[string]int{day(0): 200, day(1): 200, day(2): 200}, records()); diff != "" {
		t.Fatalf("records by day (-want +got):\n%s", diff)
	}

	b.command(nil, "backfill", "events", "--from", day(2), "--to", day(1), "--again")
	b.runOnce(0)
	if diff := cmp.Diff(map[string]int{day(0): 200, day(1): 400, day(2): 400}, records()); diff != "" {
		t.Errorf("records by day after a backfill (-want +got):\n%s", diff)
	}
	expectNoneOpen()

	calls := len(b.api.Calls())
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["DFINERY_CALLS_PER_HOUR"] = "1ms", "100000000" // today is due at once
	b.command(nil, "pause", "events", "--wait", "0")
	b.runOnce(0)
	if got := len(b.api.Calls()); got != calls {
		t.Errorf("%d calls of a paused stream", got-calls)
	}
	b.command(nil, "resume", "events", "--wait", "0")
	b.runOnce(0)
	if got := len(b.api.Calls()); got == calls {
		t.Error("no call of a resumed stream")
	}
	expectNoneOpen()
}

// TestOnce_Stopped: "run --once" exits with 3 if it is stopped before its work is done.
func TestOnce_Stopped(t *testing.T) {
	t.Parallel()
	stop := func(t *testing.T, p *process) string {
		t.Helper()
		p.signal(syscall.SIGTERM)
		p.expectExit(3)
		return p.log()
	}
	t.Run("in a download", func(t *testing.T) {
		t.Parallel()
		b := newTestbed(t, &exporttest.Server{
			Data:   exporttest.Data{Seed: 74, RowsPerDay: 50},
			Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Hang: true} },
		})
		b.environ["STREAM_EVENTS_START"] = "6" // seven days, five of which are exported at once
		p := b.start("run", "--once")
		b.await("five calls at once", func() bool { return len(b.api.Calls()) == 5 })
		out := stop(t, p)
		today := currentDay()
		expectText(t, out, "stopped, everything is in the ledger", "7 exports are left")
		for day := today - 6; day <= today; day++ {
			expectText(t, out, fmt.Sprintf("events %s: stopped before it was exported", day))
		}
		b.change(func(s *exporttest.Server) { s.Faults = nil })
		b.runOnce(0)
		b.compareEvents()
	})
	t.Run("before it is the owner", func(t *testing.T) {
		t.Parallel()
		b := newTestbed(t, &exporttest.Server{})
		b.environ["KAFKA_BROKERS"] = clustertest.ClosedPort(t)
		p := b.start("run", "--once")
		p.await("Kafka unreachable, retrying")
		expectText(t, stop(t, p), "stopped before it was known what is due")
	})
}

// TestOnce_BreakerOpens: the failures that "run --once" retries open the breaker, and the log
// says until when it is open.
func TestOnce_BreakerOpens(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.UnknownError} }})
	b.environ["STREAM_EVENTS_START"], b.environ["BREAKER_FAILURES"], b.environ["BREAKER_OPEN_FOR"] = "0", "2", "10m"
	log := b.runOnce(3)
	expectText(t, log, "waits for breaker until "+b.status().Breaker.Until.UTC().Format(time.RFC3339))
}

// TestOnce_ProbeFails: a failed probe for an exclusive to_date does not count for any day: the
// run ends without work left, and status shows no failing day.
func TestOnce_ProbeFails(t *testing.T) {
	t.Parallel()
	for _, code := range []schema.Code{schema.InvalidParameter, schema.UnknownError, schema.ExceedDateRangeLimit} {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{
				Data: exporttest.Data{RowsOn: func(schema.Day) int { return 0 }}, Limits: exporttest.Limits{PerHour: -1},
				Faults: func(c exporttest.Call) *exporttest.Fault {
					if c.Query.From == c.Query.To {
						return nil
					}
					return &exporttest.Fault{Code: code}
				},
			})
			b.unlimited()
			b.set("BREAKER_FAILURES", "3", "BREAKER_TRIP_ON", "query_error")
			for range 2 {
				b.runOnce(0)
				if out, _ := b.run("status"); strings.Contains(out, "failing:") || strings.Contains(out, "lost") {
					t.Errorf("status shows failing days:\n%s", out)
				}
			}
		})
	}
}
