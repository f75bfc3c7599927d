package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
)

// TestCrash_EachStep kills the program at every step of its protocol, when it reaches the step for
// the first, second and third time, and compares the topic. If a process reaches a step only
// once, three processes are killed there.
func TestCrash_EachStep(t *testing.T) {
	t.Parallel()
	steps := map[string][]int{
		"fenced": {1, 1, 1}, "owner": {1, 1, 1}, "restored": {1, 1, 1}, "called": {1, 2, 3}, "flushed": {1, 2, 3},
		"fingerprints": {1, 2, 3}, "days": {1, 2, 3}, "checkpointed": {1, 2, 3}, "renewing": {1, 2, 3}, "renewed": {1, 2, 3},
	}
	for step, counts := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{
				Limits: exporttest.Limits{PerHour: -1},
				Data:   exporttest.Data{Seed: 7, RowsPerDay: 300, Duplicates: 0.05, Late: 0.2, LateFrom: 2},
			})
			b.unlimited()
			b.environ["FENCE_RENEWAL"] = "300ms"
			b.pollEvery("200ms")
			for _, n := range counts {
				b.startToCrash(step, n, "run").wait(time.Minute)
			}
			b.finish()
		})
	}
}

// TestCrash_Command kills the owner at each step of a command: the command is executed once.
func TestCrash_Command(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"command", "checkpointed", "called", "fingerprints", "days"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 42, RowsPerDay: 500}})
			b.unlimited()
			b.runOnce(0)
			b.pollEvery("1h")
			day := currentDay() - 1
			b.command(nil, "backfill", "events", "--from", day.String(), "--again", "--yes")
			for n := 1; n <= 3; n++ {
				p := b.startToCrash(step, n, "run")
				select {
				case <-p.done:
				case <-time.After(4 * time.Second): // the command is executed with fewer of these steps
				}
				p.kill()
			}
			p := b.start("run")
			p.await(isOwner)
			b.command([]string{"paused"}, "pause", "events", "--wait", "20s")
			p.kill()
			times := b.copies()
			for record, n := range times {
				want := 1
				if strings.HasPrefix(record, "1234/events/"+day.String()) {
					want = 2
				}
				if n != want {
					t.Fatalf("%s is in the topic %d times, want %d", record, n, want)
				}
			}
			if len(times) != 3*500 {
				t.Errorf("%d records, want %d", len(times), 3*500)
			}
		})
	}
}

// TestCrash_Slices kills the program repeatedly while it exports a day in slices, because the
// queries for two events fail. Each process continues with the slices that are left, and all
// rows but those of the two events are published once.
func TestCrash_Slices(t *testing.T) {
	t.Parallel()
	today := currentDay()
	events := []string{"custom_event_17", "custom_event_41"}
	var poison []exporttest.Poison
	for _, event := range events {
		poison = append(poison, exporttest.Poison{Day: today - 1, Event: event})
	}
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 33, RowsPerDay: 1000}, Poison: poison})
	b.unlimited()
	b.pollEvery("1h")
	kills := 0
	// Three days and three failures, then slices.
	for _, n := range []int{7, 1, 2, 3, 1, 4} {
		p := b.startToCrash("called", n, "run")
		select {
		case <-p.done:
			kills++
		case <-time.After(20 * time.Second):
			t.Fatalf("timeout while waiting for %d more calls:\n%s", n, p.log())
		}
	}
	b.runOnce(0)
	compareRows(t, slices.Concat(b.rowsOf(today), b.rowsOf(today-1, events...), b.rowsOf(today-2)), b.published("events"))
	var alone []string
	for _, l := range b.deadLetters() {
		if len(l.Error.Events) == 1 {
			alone = append(alone, l.Error.Events[0])
		}
	}
	slices.Sort(alone)
	if diff := cmp.Diff(events, slices.Compact(alone)); diff != "" {
		t.Errorf("events that dead letters of a single event name (-want +got):\n%s", diff)
	}
	// The days, the failures, a slice for all other names, for each event two slices for each
	// halving of 50 names, and the calls that crashes repeat.
	if n := len(b.api.Calls()); n > 3+3+1+2*2*6+2*kills+3 {
		t.Errorf("%d calls", n)
	}
}

// TestCrash_ReplayOfNewGeneration replays rows of a day for which "backfill --again" has begun a
// new generation that was not exported yet. They are published once, at whatever step the owner
// is killed.
func TestCrash_ReplayOfNewGeneration(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 34, RowsPerDay: 600, Odd: 0.1}})
	b.unlimited()
	b.environ["KAFKA_COMPRESSION"], b.environ["STREAM_EVENTS_START"], b.environ["CHECKPOINT_INTERVAL"] = "none", "1", "1h"
	b.createTopic("events", 3, map[string]string{"max.message.bytes": "1000"})
	b.runOnce(0)
	letters := len(b.deadLetters())
	b.setTopicConfig("events", "max.message.bytes", "1000000")
	yesterday := currentDay() - 1
	b.command(nil, "pause", "events", "--wait", "0")
	b.command(nil, "backfill", "events", "--from", yesterday.String(), "--to", (yesterday + 1).String(), "--again", "--yes")
	b.command(nil, "dlq", "replay", "--code", "too_large", "--yes", "--wait", "0")
	replayed := func() bool {
		state := b.ledgerState()
		return slices.ContainsFunc(slices.Collect(maps.Values(state.Commands)), func(c *ledger.Command) bool { return c.Verb == "replay" && c.Done != nil })
	}
	patience := 2 * time.Second
	for n := 1; !replayed(); n++ {
		if patience > time.Minute {
			t.Fatal("the replay is not executed")
		}
		p := b.startToCrash("flushed", n, "run")
		select {
		case <-p.done:
		case <-time.After(patience): // the replay is done before the step, or this machine is slow
			p.kill()
			patience *= 2
		}
	}
	times := map[string]int{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		times[m.Export[:strings.LastIndex(m.Export, "/")]+" "+m.ID]++
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s is in the topic %d times", id, n)
		}
	}
	if len(times) != 1200 {
		t.Errorf("%d rows are published, want 1200: %d were too large", len(times), letters)
	}
}
