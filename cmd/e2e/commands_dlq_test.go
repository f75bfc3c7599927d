package e2e

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// noise returns text that compresses badly, so that a fetch returns few records.
func noise(size int) string {
	b := make([]byte, size/2)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// TestDLQ_ListAsItReads: "dlq list" prints the first letters while fetches of later ones are
// still held back, and prints all in the order of time.
func TestDLQ_ListAsItReads(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"table", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			b, fake := newScripted(t, new(exporttest.Server))
			var want []string
			began := time.Now().Add(-time.Hour)
			b.createDeadLetterTopic(2)
			for i := range 20 { // each in its own batch
				at := began.Add(time.Duration(i) * time.Second)
				b.put("dead-letters", &kgo.Record{Partition: int32(i % 2), Timestamp: at, Value: rowLetter(t, "u1", noise(1<<19), at)})
				want = append(want, fmt.Sprintf("%d/%d", i%2, i/2))
			}
			var seen atomic.Bool
			fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Fetch}, Topic: b.prefix + "dead-letters", Err: kerr.NotLeaderForPartition, Count: -1, When: func(r kmsg.Request) bool {
				return !seen.Load() && r.(*kmsg.FetchRequest).Topics[0].Partitions[0].FetchOffset > 0
			}})
			args := []string{"dlq", "list"}
			if format == "json" {
				args = append(args, "--json")
			}
			cmd := exec.CommandContext(t.Context(), binary, args...)
			cmd.Env = b.env()
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			var got []string
			lines := bufio.NewReaderSize(out, 2<<20)
			for {
				line, err := lines.ReadString('\n')
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if name := nameIn(t, line); name != "" {
					got = append(got, name)
					seen.Store(true)
				}
			}
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("letters (-want +got):\n%s", diff)
			}
		})
	}
}

// nameIn returns the name of the letter in a line of the table or of JSON; "" for the table's
// header.
func nameIn(t *testing.T, line string) string {
	if strings.HasPrefix(line, "{") {
		var letter struct{ Name string }
		if err := json.Unmarshal([]byte(line), &letter); err != nil {
			t.Fatal(err)
		}
		return letter.Name
	}
	if name, _, _ := strings.Cut(line, " "); name != "NAME" {
		return name
	}
	return ""
}

// TestDLQ_Since: with --since, records before that time are not fetched, listed or replayed.
func TestDLQ_Since(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, new(exporttest.Server))
	b.createDeadLetterTopic(1)
	now := time.Now()
	for _, minutes := range []time.Duration{50, 40, 30, 20, 10} { // each in its own batch
		at := now.Add(-minutes * time.Minute)
		b.put("dead-letters", &kgo.Record{Timestamp: at, Value: rowLetter(t, "u1", "x", at)})
	}
	var least atomic.Int64 // lowest offset that was fetched
	fake.ControlKey(int16(kmsg.Fetch), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		least.Store(min(least.Load(), r.(*kmsg.FetchRequest).Topics[0].Partitions[0].FetchOffset))
		return nil, nil, false
	})
	for name, test := range map[string]struct {
		args  []string
		least int64
		says  string
	}{
		"list":         {[]string{"dlq", "list", "--since", "25m"}, 3, "0/3 0/4"},
		"list of none": {[]string{"dlq", "list", "--since", "5m"}, 5, ""},
		"replay":       {[]string{"dlq", "replay", "--since", "25m", "--plan"}, 3, "plan: 2 dead letters: 2 rows to be read again"},
	} {
		const none = 5 // the log's end
		least.Store(none)
		out, got := b.run(test.args...)
		if got.Code != 0 {
			t.Errorf("%s: exit %d: %s", name, got.Code, got.Stderr)
		}
		if test.args[1] == "list" {
			out = strings.Join(names(t, out), " ")
		}
		if !strings.HasPrefix(out, test.says) {
			t.Errorf("%s: %s, want %s", name, out, test.says)
		}
		if diff := cmp.Diff(test.least, least.Load()); diff != "" {
			t.Errorf("%s: the first offset read (-want +got):\n%s", name, diff)
		}
	}
	// A letter that is given by its name, but is older, does not match.
	if out, got := b.run("dlq", "replay", "0/1", "--since", "25m", "--plan"); got.Code != 1 || !strings.Contains(got.Stderr, "no dead letter matches") {
		t.Errorf("an older letter by its name: exit %d: %s%s", got.Code, out, got.Stderr)
	}
}

// names returns the names of the letters in a table.
func names(t *testing.T, table string) []string {
	t.Helper()
	var names []string
	for line := range strings.Lines(table) {
		if name := nameIn(t, line); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// TestDLQ_States: letters of exports are resolved by a later success, those of rows once the row
// is published or a later complete export does not have it, even if other bad rows moved to other
// lines. --open and the plan of a replay leave resolved ones out.
func TestDLQ_States(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 62, RowsPerDay: 40}})
	b.set("STREAM_EVENTS_START", "0", "STREAM_EVENTS_MAX_BAD", "off", "KAFKA_COMPRESSION", "none")
	b.unlimited()
	b.pollEvery("20ms")
	b.createTopic("events", 1, map[string]string{"max.message.bytes": "3000"})
	bad := func(kinds ...exporttest.BadKind) {
		fault := exporttest.Fault{}
		for _, kind := range kinds {
			fault.BadRows = append(fault.BadRows, exporttest.BadRow{After: 1 + int(kind), Kind: kind, Size: 5000})
		}
		b.change(func(api *exporttest.Server) { api.Faults = func(exporttest.Call) *exporttest.Fault { return &fault } })
	}
	bad(exporttest.FewerFields, exporttest.MoreFields, exporttest.EmptyKey, exporttest.HugeCell)
	b.api.Inject(exporttest.Fault{Code: schema.UnknownError})
	b.runOnce(0)
	// states counts the letters by code and state.
	states := func(args ...string) map[string]int {
		t.Helper()
		out, got := b.run(slices.Concat([]string{"dlq", "list", "--json"}, args)...)
		if got.Code != 0 {
			t.Fatalf("exit %d: %s", got.Code, got.Stderr)
		}
		count := map[string]int{}
		for line := range strings.Lines(out) {
			var l struct {
				State string
				Error struct{ Code string }
			}
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			count[l.Error.Code+" "+l.State]++
		}
		return count
	}
	expect := func(when string, want map[string]int, args ...string) {
		t.Helper()
		if diff := cmp.Diff(want, states(args...)); diff != "" {
			t.Errorf("%s: letters (-want +got):\n%s", when, diff)
		}
	}
	expect("after the first export", map[string]int{"unknown_error resolved": 1, "field_count open": 2, "empty_key open": 1, "too_large open": 1})
	b.runOnce(0)
	expect("after another export", map[string]int{"unknown_error resolved": 1, "field_count open": 2, "empty_key open": 1, "too_large open": 1})

	bad(exporttest.MoreFields, exporttest.HugeCell) // on other lines
	b.setTopicConfig("events", "max.message.bytes", "1000000")
	b.runOnce(0)
	put := map[string]int{"unknown_error resolved": 1, "field_count open": 1, "field_count resolved": 1, "empty_key resolved": 1, "too_large resolved": 1}
	expect("some are corrected, one is published", put)
	expect("the open ones", map[string]int{"field_count open": 1}, "--open")
	b.command([]string{"plan: 1 dead letter: 1 row to be read again", "skipped: 4 dead letters, already resolved"}, "dlq", "replay", "--plan")
	b.command([]string{"CODE", "STATE", "resolved"}, "dlq", "list")

	b.command(nil, "backfill", "events", "--from", currentDay().String(), "--again", "--yes")
	bad(exporttest.MoreFields)
	b.runOnce(0)
	expect("a new generation", map[string]int{"unknown_error resolved": 1, "field_count open": 1, "field_count unknown": 1, "field_count resolved": 1,
		"empty_key resolved": 1, "too_large resolved": 1})
}
