package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
)

// TestCommands_WaitIsOver: a command that is not executed within --wait exits with an error code
// and says that it remains queued. It is executed later.
func TestCommands_WaitIsOver(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsPerDay: 10}})
	b.unlimited()
	b.environ["STREAM_EVENTS_START"] = "1"
	b.runOnce(0)
	today := currentDay().String()
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
	for _, test := range tests { // in this order
		out, got := b.run(test.args...)
		if got.Code != test.code {
			t.Errorf("%s: exit %d, want %d:\n%s%s", test.name, got.Code, test.code, out, got.Stderr)
		}
		if test.code != 0 {
			expectText(t, got.Stderr, "no active instance accepted it within 300ms; it remains queued for the service's owner")
		}
	}
	if n := strings.Count(b.runOnce(0), `"msg":"command carried out"`); n != len(tests) {
		t.Errorf("%d commands were executed, want %d", n, len(tests))
	}
}

// TestCommands_BackfillAgain: "backfill --again" publishes every row of some days once more, with
// the same ids.
func TestCommands_BackfillAgain(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 41, RowsPerDay: 700, Duplicates: 0.1}})
	b.unlimited()
	yesterday := currentDay() - 1
	b.environ["STREAM_EVENTS_START"] = (yesterday - 1).String()
	b.runOnce(0)
	b.pollEvery("1h")
	p := b.start("run")
	p.await(isOwner)
	b.command([]string{"1 day, 1 call", "1 day exported"}, "backfill", "events", "--from", yesterday.String(), "--to", yesterday.String(), "--yes", "--wait", "1m")
	b.compareEvents()
	b.command([]string{"published again", "1 day exported"}, "backfill", "events", "--from", yesterday.String(), "--to", yesterday.String(), "--again", "--yes", "--wait", "1m")
	p.kill()

	// The topic now has each record of that day twice, with the same id, and those of other
	// days once. The next export publishes nothing.
	want := map[string]map[int]int{}
	for day := yesterday - 1; day <= yesterday+1; day++ {
		want["1234/events/"+day.String()] = map[int]int{1: 700}
	}
	want["1234/events/"+yesterday.String()] = map[int]int{2: 700}
	for _, when := range []string{"after the command", "after another run"} {
		got := b.copiesByDay()
		delete(got, "1234/events/"+(yesterday+2).String()) // present if midnight has passed
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: records by how often they are in the topic (-want +got):\n%s", when, diff)
		}
		b.runOnce(0)
	}
}

// TestCommands_PauseAndResume: no calls are made for a paused stream, even after a restart, until
// it is resumed.
func TestCommands_PauseAndResume(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 43, RowsPerDay: 50}})
	b.unlimited()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "200ms"
	p := b.start("run")
	p.await(`"code":"ok"`)
	b.command([]string{"events paused"}, "pause", "events")
	b.await("the end of all calls", func() bool {
		return !slices.ContainsFunc(b.api.Calls(), func(c exporttest.Call) bool { return c.Ended.IsZero() })
	})
	calls := len(b.api.Calls())
	time.Sleep(time.Second)
	if n := len(b.api.Calls()); n != calls {
		t.Errorf("%d calls while paused", n-calls)
	}
	p.kill()
	p = b.start("run") // the stream stays paused
	p.await(isOwner)
	time.Sleep(500 * time.Millisecond)
	if n := len(b.api.Calls()); n != calls {
		t.Errorf("%d calls while paused, after a restart", n-calls)
	}
	out, _ := b.run("status")
	expectText(t, out, "paused", ", once the stream is resumed")
	b.command([]string{"events resumed"}, "resume", "events")
	p.awaitMore(`"code":"ok"`, 0)
	p.kill()
}

// TestCommands_BackfillInScript: backfill does not ask for confirmation if its input is the null
// device, but prints the estimate.
func TestCommands_BackfillInScript(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{})
	b.runOnce(0)
	out, got := b.run("backfill", "events", "--from", currentDay().String())
	if diff := cmp.Diff(result{}, got); diff != "" {
		t.Errorf("exit (-want +got):\n%s", diff)
	}
	want := "backfill of events: 1 day, 1 call, about 0.1 hours at the quota left by polls (92 calls an hour)\n" +
		"backfill events: queued in the ledger; the service's owner carries it out\n"
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("output (-want +got):\n%s", diff)
	}
}

// TestCommands_BackfillPlan: the estimate uses the quota that the API reports if it is less than
// the configured one.
func TestCommands_BackfillPlan(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: 20}, Data: exporttest.Data{RowsPerDay: 5}})
	b.set("STREAM_EVENTS_POLL_INTERVAL", "30m")
	b.runOnce(0)
	b.command([]string{"2 days, 2 calls, about 0.1 hours at the quota left by polls (16 calls an hour)"}, "backfill", "events", "--from", (currentDay() - 1).String(), "--to", currentDay().String())
}

// TestCommands_Order: an owner executes queued commands in the order in which they were submitted.
func TestCommands_Order(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 43, RowsPerDay: 10}})
	b.runOnce(0)
	for n := range 3 {
		for range 2 {
			b.command(nil, "pause", "events", "--wait", "0")
			b.command(nil, "resume", "events", "--wait", "0")
		}
		b.runOnce(0)
		if b.status().Streams[0].Paused {
			t.Fatalf("round %d: the stream is paused, but the last command was resume", n+1)
		}
	}
}

// TestCommands_MissingRight: a command without the necessary rights says how to find the right to
// grant.
func TestCommands_MissingRight(t *testing.T) {
	t.Parallel()
	b := newACLTestbed(t)
	b.runOnce(0)
	b.loginAsNewUser("newcomer", "password-of-a-test")
	for _, args := range []string{"status", "dlq list", "dlq show 0/0", "pause events"} {
		if out, got := b.run(strings.Fields(args)...); got.Code != 1 || !strings.HasSuffix(got.Stderr, "\ndfinery-kafka check prints the command that grants the right\n") {
			t.Errorf("%s: exit %d: %s%s", args, got.Code, out, got.Stderr)
		}
	}
}

// TestCommands_Interrupted interrupts a command while it waits: it says whether the command
// remains queued.
func TestCommands_Interrupted(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, new(exporttest.Server))
	b.unlimited()
	b.runOnce(0)
	p := b.start("pause", "events", "--wait", "1h")
	b.await("the command in the ledger", func() bool { return len(b.ledgerState().Commands) > 0 })
	p.signal(os.Interrupt)
	<-p.done
	waited, given := "dfinery-kafka: pause events: interrupt signal received: it remains queued in the ledger, and the owner carries it out\n",
		"dfinery-kafka: ended before it was done: interrupt signal received\n" // when interrupted before Kafka has answered
	if text, code := p.log(), p.cmd.ProcessState.ExitCode(); code != 1 || text != waited && text != given {
		t.Errorf("exit %d: %s", code, text)
	}
}
