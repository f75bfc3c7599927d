package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestOnce_Commands executes all commands that were submitted between two runs of a CronJob.
func TestOnce_Commands(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 3, RowsPerDay: 200}})
	b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "1h"
	done := func(args ...string) {
		t.Helper()
		if _, got := b.run(args...); got.Code != 0 {
			t.Fatalf("%v: exit %d:\n%s", args, got.Code, got.Stderr)
		}
	}
	open := func() []string {
		t.Helper()
		stdout, got := b.run("status", "--json")
		if got.Code != 0 {
			t.Fatalf("status: exit %d:\n%s", got.Code, got.Stderr)
		}
		var status struct{ Commands []struct{ Verb string } }
		if err := json.Unmarshal([]byte(stdout), &status); err != nil {
			t.Fatal(err)
		}
		var verbs []string
		for _, c := range status.Commands {
			verbs = append(verbs, c.Verb)
		}
		return verbs
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

	done("run", "--once")
	if diff := cmp.Diff(map[string]int{day(0): 200, day(1): 200, day(2): 200}, records()); diff != "" {
		t.Fatalf("records by day (-want +got):\n%s", diff)
	}

	done("backfill", "events", "--from", day(2), "--to", day(1), "--again")
	done("run", "--once")
	if diff := cmp.Diff(map[string]int{day(0): 200, day(1): 400, day(2): 400}, records()); diff != "" {
		t.Errorf("records by day after a backfill (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string(nil), open()); diff != "" {
		t.Errorf("commands that are not done (-want +got):\n%s", diff)
	}

	calls := len(b.api.Calls())
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["DFINERY_CALLS_PER_HOUR"] = "1ms", "100000000" // today is due at once
	done("pause", "events", "--wait", "0")
	done("run", "--once")
	if got := len(b.api.Calls()); got != calls {
		t.Errorf("%d calls of a stream that was paused before", got-calls)
	}
	done("resume", "events", "--wait", "0")
	done("run", "--once")
	if got := len(b.api.Calls()); got == calls {
		t.Error("no call of a stream that was resumed before")
	}
	if diff := cmp.Diff([]string(nil), open()); diff != "" {
		t.Errorf("commands that are not done (-want +got):\n%s", diff)
	}
}

// TestOnce_Stopped exits with 3 if it is stopped before its work is done.
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
		b.environ["STREAM_EVENTS_START"] = "6" // seven days, of which five are exported at the same time
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
		b.environ["KAFKA_BROKERS"] = closedPort(t)
		p := b.start("run", "--once")
		p.await("starting over")
		expectText(t, stop(t, p), "stopped before it was known what is due")
	})
}

// TestOnce_BreakerOpens waits for the breaker after the failures that "run --once" retries: as many open it.
func TestOnce_BreakerOpens(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.UnknownError} }})
	b.environ["STREAM_EVENTS_START"], b.environ["BREAKER_FAILURES"], b.environ["BREAKER_OPEN_FOR"] = "0", "2", "10m"
	log := b.runOnce(3)
	var status struct{ Breaker struct{ Until time.Time } }
	out, _ := b.run("status", "--json")
	if err := json.Unmarshal([]byte(out), &status); err != nil {
		t.Fatal(err)
	}
	expectText(t, log, "waits for breaker until "+status.Breaker.Until.UTC().Format(time.RFC3339))
}
