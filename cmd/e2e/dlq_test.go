package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestReplayRows: rows that were larger than the topic took are published by a replay once it takes more, and once only.
func TestReplayRows(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 31, RowsPerDay: 600, Odd: 0.1}})
	b.unbounded()
	b.environ["KAFKA_COMPRESSION"], b.environ["STREAM_EVENTS_START"] = "none", "1"
	b.createTopic("events", 3, map[string]string{"max.message.bytes": "1000"})
	b.once(0)
	published, letters := len(b.published("events")), b.letters()
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
	expect(t, shown, `"code": "too_large"`, `"raw": `)
	if got.Code != 0 {
		t.Errorf("exit %d: %s", got.Code, got.Stderr)
	}

	b.alter("events", "max.message.bytes", "1000000")
	plan, _ := b.run("dlq", "replay", "--code", "too_large", "--plan")
	expect(t, plan, "rows to be read again")
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "1h", "1h"
	p := b.start(binary, nil, "run")
	p.await(`"msg":"owner"`)
	for n, want := range []string{"rows published, 0 were published already, 0 are bad still", "0 rows published, "} {
		out, got := b.run("dlq", "replay", "--code", "too_large")
		if got.Code != 0 {
			t.Fatalf("replay %d: exit %d: %s%s\n%s", n, got.Code, out, got.Stderr, p.text())
		}
		expect(t, out, want)
	}
	p.kill()
	compare(t, b.served(schema.Event), b.published("events"))
}

// TestReplayExports: the dead letter of an export exports its day again.
func TestReplayExports(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 32, RowsPerDay: 300}})
	b.unbounded()
	b.api.Inject(exporttest.Fault{Code: schema.UnknownError})
	b.once(0)
	calls := len(b.api.Calls())
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "1h", "1h"
	p := b.start(binary, nil, "run")
	p.await(`"msg":"owner"`)
	out, got := b.run("dlq", "replay", "--kind", "export", "--yes")
	if got.Code != 0 {
		t.Fatalf("exit %d: %s%s\n%s", got.Code, out, got.Stderr, p.text())
	}
	expect(t, out, "1 day exported again")
	if n := len(b.api.Calls()); n != calls+1 {
		t.Errorf("%d calls for the replay, want 1", n-calls)
	}
	p.kill()
	compare(t, b.served(schema.Event), b.published("events"))
}

// TestCrashDuringReplayOfNewGeneration: a replay for a day that --again has begun anew, and that no call was made for since, publishes
// its rows once, wherever the owner dies.
func TestCrashDuringReplayOfNewGeneration(t *testing.T) {
	t.Parallel()
	program, err := withFaults()
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 34, RowsPerDay: 600, Odd: 0.1}})
	b.unbounded()
	b.environ["KAFKA_COMPRESSION"], b.environ["STREAM_EVENTS_START"], b.environ["CHECKPOINT_INTERVAL"] = "none", "1", "1h"
	b.createTopic("events", 3, map[string]string{"max.message.bytes": "1000"})
	b.once(0)
	letters := len(b.letters())
	b.alter("events", "max.message.bytes", "1000000")
	yesterday := schema.DayOf(time.Now(), seoul) - 1
	b.command(nil, "pause", "events", "--wait", "0")
	b.command(nil, "backfill", "events", "--from", yesterday.String(), "--to", (yesterday + 1).String(), "--again", "--yes")
	b.command(nil, "dlq", "replay", "--code", "too_large", "--yes", "--wait", "0")
	replayed := func() bool {
		_, state := b.books()
		return slices.ContainsFunc(slices.Collect(maps.Values(state.Commands)), func(c *ledger.Command) bool { return c.Verb == "replay" && c.Done != nil })
	}
	patience := 2 * time.Second
	for n := 1; !replayed(); n++ {
		if patience > time.Minute {
			t.Fatal("the replay is not carried out")
		}
		p := b.start(program, []string{"FAULT_STEP=flushed", fmt.Sprintf("FAULT_COUNT=%d", n)}, "run")
		select {
		case <-p.done:
		case <-time.After(patience): // all is done before, or would be on a faster machine
			p.kill()
			patience *= 2
		}
	}
	times := map[string]int{}
	for _, m := range b.consume(b.prefix+"events", kgo.ReadUncommitted()) {
		times[m.Export[:strings.LastIndex(m.Export, "/")]+" "+m.ID]++
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("%s stands there %d times", id, n)
		}
	}
	if len(times) != 1200 {
		t.Errorf("%d rows are published, want 1200: %d were too large", len(times), letters)
	}
}
