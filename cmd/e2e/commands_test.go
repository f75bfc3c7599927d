package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// quiet keeps the program from polling by itself while a command is tried.
func (b *bench) quiet() {
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "1h", "1h"
}

// command runs a command and expects it to succeed and to say something.
func (b *bench) command(texts []string, args ...string) {
	b.t.Helper()
	out, got := b.run(args...)
	if got.Code != 0 {
		b.t.Fatalf("%s: exit %d:\n%s%s", strings.Join(args, " "), got.Code, out, got.Stderr)
	}
	expect(b.t, out, texts...)
}

// TestWaitIsOver: whoever waits for a command's result, and gets none, is told so by the exit code as well. The command is carried out later.
func TestWaitIsOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsPerDay: 10}})
	b.unbounded()
	b.environ["STREAM_EVENTS_START"] = "1"
	b.once(0)
	today := schema.DayOf(time.Now(), seoul).String()
	tests := []struct {
		name string
		args []string
		code int
	}{
		{"backfill, by itself", []string{"backfill", "events", "--from", today, "--yes"}, 0},
		{"backfill that is waited for", []string{"backfill", "events", "--from", today, "--yes", "--wait", "300ms"}, 3},
		{"pause, which looks for 5 s", []string{"pause", "events"}, 0},
		{"resume that is waited for", []string{"resume", "events", "--wait", "300ms"}, 3},
		{"resume that is not waited for", []string{"resume", "events", "--wait", "0"}, 0},
	}
	for _, test := range tests { // the order is that of the commands
		out, got := b.run(test.args...)
		if got.Code != test.code {
			t.Errorf("%s: exit %d, want %d:\n%s%s", test.name, got.Code, test.code, out, got.Stderr)
		}
		if test.code != 0 {
			expect(t, got.Stderr, "nobody has taken it up within 300ms: it is carried out when the service's owner runs")
		}
	}
	if n := strings.Count(b.once(0), `"msg":"command carried out"`); n != len(tests) {
		t.Errorf("%d commands were carried out, want %d", n, len(tests))
	}
}

// TestBackfillAgain: backfill --again publishes every row of its days once more, with the same ids.
func TestBackfillAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 41, RowsPerDay: 700, Duplicates: 0.1}})
	b.unbounded()
	yesterday := schema.DayOf(time.Now(), seoul) - 1
	b.environ["STREAM_EVENTS_START"] = (yesterday - 1).String()
	b.once(0)
	b.quiet()
	p := b.start(binary, nil, "run")
	p.await(`"msg":"owner"`)
	b.command([]string{"1 day, 1 call", "1 day exported"}, "backfill", "events", "--from", yesterday.String(), "--to", yesterday.String(), "--yes", "--wait", "1m")
	compare(t, b.served(schema.Event), b.published("events"))
	b.command([]string{"published once more", "1 day exported"}, "backfill", "events", "--from", yesterday.String(), "--to", yesterday.String(), "--again", "--yes", "--wait", "1m")
	p.kill()

	// Each record of that day stands there twice now, with the same id, and of the others once. The next export knows them all.
	want := map[string]map[int]int{}
	for day := yesterday - 1; day <= yesterday+1; day++ {
		want["1234/events/"+day.String()] = map[int]int{1: 700}
	}
	want["1234/events/"+yesterday.String()] = map[int]int{2: 700}
	for _, when := range []string{"after the command", "after another run"} {
		got := b.timesByDay()
		delete(got, "1234/events/"+(yesterday+2).String()) // it has begun meanwhile
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: records by how often they stand there (-want +got):\n%s", when, diff)
		}
		b.once(0)
	}
}

// TestCrashDuringCommand: a command is carried out once, wherever the owner dies.
func TestCrashDuringCommand(t *testing.T) {
	t.Parallel()
	program, err := withFaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []string{"command", "checkpointed", "called", "fingerprints", "days"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 42, RowsPerDay: 500}})
			b.unbounded()
			b.once(0)
			b.quiet()
			day := schema.DayOf(time.Now(), seoul) - 1
			b.command(nil, "backfill", "events", "--from", day.String(), "--again", "--yes")
			for n := 1; n <= 3; n++ {
				p := b.start(program, []string{"FAULT_STEP=" + step, fmt.Sprintf("FAULT_COUNT=%d", n)}, "run")
				select {
				case <-p.done:
				case <-time.After(4 * time.Second): // the command is carried out, and the step is not reached so often
				}
				p.kill()
			}
			p := b.start(program, nil, "run")
			p.await(`"msg":"owner"`)
			b.command([]string{"paused"}, "pause", "events", "--wait", "20s")
			p.kill()
			times := b.times()
			for record, n := range times {
				want := 1
				if strings.HasPrefix(record, "1234/events/"+day.String()) {
					want = 2
				}
				if n != want {
					t.Fatalf("%s stands there %d times, want %d", record, n, want)
				}
			}
			if len(times) != 3*500 {
				t.Errorf("%d records, want %d", len(times), 3*500)
			}
		})
	}
}

// TestPauseAndResume: a paused stream makes no call, also after a restart, until it is resumed.
func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 43, RowsPerDay: 50}})
	b.unbounded()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "200ms"
	p := b.start(binary, nil, "run")
	p.await(`"code":"ok"`)
	b.command([]string{"events paused"}, "pause", "events")
	b.eventually(func() bool { // what was under way has ended
		return !slices.ContainsFunc(b.api.Calls(), func(c exporttest.Call) bool { return c.Ended.IsZero() })
	})
	calls := len(b.api.Calls())
	time.Sleep(time.Second)
	if n := len(b.api.Calls()); n != calls {
		t.Errorf("%d calls while paused", n-calls)
	}
	p.kill()
	p = b.start(binary, nil, "run") // a pause survives a restart
	p.await(`"msg":"owner"`)
	time.Sleep(500 * time.Millisecond)
	if n := len(b.api.Calls()); n != calls {
		t.Errorf("%d calls while paused, after a restart", n-calls)
	}
	out, _ := b.run("status")
	expect(t, out, "paused", "waits for paused")
	b.command([]string{"events resumed"}, "resume", "events")
	p.awaitMore(`"code":"ok"`, 0)
	p.kill()
}

// TestStatus: status tells from the ledger alone what was published and what comes next.
func TestStatus(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 44, RowsPerDay: 50}})
	if _, got := b.run("status"); got.Code != 1 || !strings.Contains(got.Stderr, "has the connector run yet") && !strings.Contains(got.Stderr, "read the ledger") {
		t.Errorf("before any run: exit %d: %s", got.Code, got.Stderr)
	}
	b.once(0)
	b.quiet()
	out, got := b.run("status")
	if got.Code != 0 {
		t.Fatalf("exit %d: %s", got.Code, got.Stderr)
	}
	expect(t, out, "service 1234, stopped", "calls left this hour: 97 of 100", "breaker closed", "                           ▒▒▒  today 50 rows, in all 150, dead rows 0",
		"newest row published ", "last export ", "waits for ")
	text, _ := b.run("status", "--json")
	var o struct {
		Streams []struct {
			Days []struct {
				Day, State      string
				Rows, Published int
			}
		}
	}
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	if len(o.Streams) != 1 || len(o.Streams[0].Days) != 3 || o.Streams[0].Days[0].Published != 50 || o.Streams[0].Days[0].State != "open" {
		t.Errorf("status --json: %s", text)
	}
}

// TestBackfillAsksNobody: a script, whose input is the null device, has decided already; what it costs is said all the same.
func TestBackfillAsksNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{})
	b.once(0)
	out, got := b.run("backfill", "events", "--from", schema.DayOf(time.Now(), seoul).String())
	if diff := cmp.Diff(result{}, got); diff != "" {
		t.Errorf("exit (-want +got):\n%s", diff)
	}
	want := "backfill of events: 1 day, 1 call, about 0.1 hours of the quota that polls leave (92 calls an hour)\n" +
		"backfill events: written to the ledger, the service's owner carries it out\n"
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("it says (-want +got):\n%s", diff)
	}
}
