package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// newRowPairs returns a service with a day of 400 rows, 200 identical pairs, and a topic that
// accepts records of up to 425 bytes: of some pairs both rows, of some none, and of some only
// the first, whose id is shorter.
func newRowPairs(t *testing.T) (b *testbed, rows []map[string]string) {
	var csv strings.Builder
	csv.WriteString("df_unified_id,event_name,memo\n")
	for i := range 400 {
		pair := i / 2
		memo := strings.Repeat("m", 150+pair%150) + strconv.Itoa(pair)
		fmt.Fprintf(&csv, "u%d,open,%s\n", pair, memo)
		rows = append(rows, map[string]string{"df_unified_id": fmt.Sprintf("u%d", pair), "event_name": "open", "memo": memo})
	}
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/csv")
		_, _ = io.WriteString(w, csv.String())
	}))
	t.Cleanup(api.Close)
	b = newTestbed(t, &exporttest.Server{})
	b.environ["DFINERY_BASE_URL"], b.environ["STREAM_EVENTS_START"] = api.URL, "0"
	b.environ["KAFKA_COMPRESSION"] = "none"
	b.unlimited()
	b.pollEvery("1h")
	b.createTopic("events", 3, map[string]string{"max.message.bytes": "425"})
	return b, rows
}

// letterNames returns the names of the dead letters of rows in random order.
func (b *testbed) letterNames(rng *rand.Rand) []string {
	b.t.Helper()
	list, got := b.run("dlq", "list", "--kind", "row", "--json")
	if got.Code != 0 {
		b.t.Fatalf("exit %d: %s", got.Code, got.Stderr)
	}
	var names []string
	for line := range strings.Lines(list) {
		var l struct{ Name string }
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			b.t.Fatal(err)
		}
		names = append(names, l.Name)
	}
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// checkCopies compares the ids of the published rows and of the letters with those of the
// pairs: each is published or has a letter, and none is published twice.
func (b *testbed) checkCopies(rows int) (published, letters map[string]bool) {
	b.t.Helper()
	published, letters = map[string]bool{}, map[string]bool{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		if published[m.ID] {
			b.t.Errorf("%s is published twice", m.ID)
		}
		published[m.ID] = true
	}
	all := map[string]bool{}
	for _, l := range b.deadLetters() {
		if l.Row == nil || l.Row.ID == "" || letters[l.Row.ID] {
			b.t.Errorf("a dead letter without the id of its row, or a second one for it: %+v", l.Row)
			continue
		}
		letters[l.Row.ID], all[l.Row.ID] = true, true
	}
	for id := range published {
		all[id] = true
	}
	if len(all) != rows {
		b.t.Errorf("%d rows are published or dead letters, want %d", len(all), rows)
	}
	return published, letters
}

// TestReplay_Copies replays dead letters of identical rows, one after the other or all at once,
// repeatedly, and after a crash: exactly the copies that the letters name are published.
func TestReplay_Copies(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(crashSeed(t), 1))
	b, rows := newRowPairs(t)
	b.runOnce(0)
	published, letters := b.checkCopies(len(rows))
	second, alone := 0, 0
	for id := range letters {
		if first, ok := strings.CutSuffix(id, ".1"); ok {
			second++
			if published[first] {
				alone++
			}
		}
	}
	if len(published) == 0 || alone == 0 || alone == second {
		t.Fatalf("%d rows are published; of %d letters of second copies %d have a first one that is published", len(published), second, alone)
	}
	b.setTopicConfig("events", "max.message.bytes", "1000000")
	names := b.letterNames(rng)
	p := b.start("run")
	p.await(isOwner)
	replay := func(names []string, want string) {
		t.Helper()
		out, got := b.run(slices.Concat([]string{"dlq", "replay", "--yes"}, names)...)
		if got.Code != 0 {
			t.Fatalf("exit %d: %s%s\n%s", got.Code, out, got.Stderr, p.log())
		}
		expectText(t, out, want)
	}
	b.command(nil, "pause", "events") // so that no export interferes
	done := len(b.published("events"))
	for _, n := range []int{1, 1, len(names) / 4, len(names) / 4} {
		part := names[:n]
		names = names[n:]
		replay(part, schema.Pluralize(n, "row")+" published, 0 were published already, 0 are still bad, 0 days exported again")
		done += n
		published, _ := b.checkCopies(len(rows))
		if len(published) != done {
			t.Errorf("%d rows are published, want %d", len(published), done)
		}
		replay(part, "nothing to do: "+schema.Pluralize(n, "dead letter")+", already resolved")
		b.submitReplay(t, part)
		p.await(fmt.Sprintf("0 rows published, %d were published already, 0 are still bad", n))
		p.kill()
		p = b.start("run")
		p.await(isOwner)
	}
	replay(names, schema.Pluralize(len(names), "row")+" published, 0 were published already")
	b.command(nil, "resume", "events")
	today := currentDay().String()
	b.command(nil, "backfill", "events", "--from", today, "--to", today, "--yes")
	p.kill()
	b.checkCopies(len(rows))
	compareRows(t, newRows(rows...), b.published("events"))
	b.checkLedger()
}

// TestRows_Copies raises the topic's limit: the next export publishes exactly the copies that
// are missing, even after a replay of some of them.
func TestRows_Copies(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(crashSeed(t), 1))
	b, rows := newRowPairs(t)
	b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "20ms"
	b.runOnce(0)
	first, letters := b.checkCopies(len(rows))
	b.runOnce(0) // publishes nothing, and writes no letter a second time
	again, _ := b.checkCopies(len(rows))
	if len(first) != len(again) || len(b.deadLetters()) != len(letters) {
		t.Errorf("another export: %d rows and %d letters, want %d and %d", len(again), len(b.deadLetters()), len(first), len(letters))
	}
	b.setTopicConfig("events", "max.message.bytes", "1000000")
	names := b.letterNames(rng)
	p := b.start("run")
	p.await(isOwner)
	b.command(nil, "dlq", "replay", "--yes", names[0], names[1], names[2])
	p.kill()
	b.runOnce(0)
	b.checkCopies(len(rows))
	compareRows(t, newRows(rows...), b.published("events"))
	b.checkLedger()
}

// TestRelease_RollbackWithCopies runs the previous release on the ledger of this one, and then
// this one again: no row is published twice, and all rows are published.
func TestRelease_RollbackWithCopies(t *testing.T) {
	t.Parallel()
	b, rows := newRowPairs(t)
	former := programBefore(t)
	b.set("STREAM_EVENTS_POLL_INTERVAL", "20ms")
	for turn, program := range []string{binary, former, binary, former} {
		if turn == 2 {
			b.setTopicConfig("events", "max.message.bytes", "1000000")
		}
		b.program = program
		b.runOnce(0)
		b.checkLedger()
	}
	ids := map[string]bool{}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
		if ids[m.ID] {
			t.Errorf("%s is published twice", m.ID)
		}
		ids[m.ID] = true
	}
	compareRows(t, newRows(rows...), b.published("events"))
}

// TestRelease_RollbackWithCopyGaps: the previous release counts copies but does not know which
// of them are published. If the second is published and the first is not, it publishes one more
// with the second's id: no row is missing or published too often.
func TestRelease_RollbackWithCopyGaps(t *testing.T) {
	t.Parallel()
	b, rows := newRowPairs(t)
	former := programBefore(t)
	b.runOnce(0)
	published, _ := b.checkCopies(len(rows))
	b.setTopicConfig("events", "max.message.bytes", "1000000")
	p := b.start("run")
	p.await(isOwner)
	list, _ := b.run("dlq", "list", "--kind", "row", "--json")
	var seconds []string
	for line := range strings.Lines(list) {
		var l struct {
			Name string
			Row  struct{ ID string }
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		if first, ok := strings.CutSuffix(l.Row.ID, ".1"); ok && !published[first] {
			seconds = append(seconds, l.Name)
		}
	}
	if len(seconds) == 0 {
		t.Fatal("no pair has two letters")
	}
	b.command(nil, slices.Concat([]string{"dlq", "replay", "--yes"}, seconds)...)
	p.kill()
	b.checkLedger()
	b.set("STREAM_EVENTS_POLL_INTERVAL", "20ms")
	for _, program := range []string{former, binary, former, binary} {
		b.program = program
		b.runOnce(0)
		compareRows(t, newRows(rows...), b.rows("events")) // some first copies have the second's id
		b.checkLedger()
	}
}
