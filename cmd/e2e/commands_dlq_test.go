package e2e

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
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
)

// noise does not compress well, so that a fetch returns little of it.
func noise(size int) string {
	b := make([]byte, size/2)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// TestDLQ_ListAsItReads prints the first letters while Kafka holds the later ones back, and all
// in the order of time.
func TestDLQ_ListAsItReads(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"table", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			b, fake := newScripted(t, new(exporttest.Server))
			var want []string
			began := time.Now().Add(-time.Hour)
			b.createDeadLetterTopic(2)
			for i := range 20 { // each a batch of its own
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

// nameIn is the name of the letter in a line of the table or of JSON; "" for the table's
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

// TestDLQ_Since reads no dead letter before the time of --since, let alone lists or replays one.
func TestDLQ_Since(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, new(exporttest.Server))
	b.createDeadLetterTopic(1)
	now := time.Now()
	for _, minutes := range []time.Duration{50, 40, 30, 20, 10} { // each a batch of its own
		at := now.Add(-minutes * time.Minute)
		b.put("dead-letters", &kgo.Record{Timestamp: at, Value: rowLetter(t, "u1", "x", at)})
	}
	var least atomic.Int64 // offset that was fetched
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
	// A named letter that is older does not match.
	if out, got := b.run("dlq", "replay", "0/1", "--since", "25m", "--plan"); got.Code != 1 || !strings.Contains(got.Stderr, "no dead letter matches") {
		t.Errorf("an older one by its name: exit %d: %s%s", got.Code, out, got.Stderr)
	}
}

// names are the names of the letters in a table.
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
