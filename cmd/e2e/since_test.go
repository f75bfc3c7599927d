package e2e

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

// TestSinceReadsNothingOlder: with --since no dead letter before that time is read, let alone listed or replayed.
func TestSinceReadsNothingOlder(t *testing.T) {
	t.Parallel()
	fake := embedded(t, kfake.NumBrokers(1))
	b := newBench(t, new(exporttest.Server))
	b.brokers = strings.Join(fake.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"] = b.brokers
	b.createLetters(1)
	now := time.Now()
	for _, minutes := range []time.Duration{50, 40, 30, 20, 10} { // each a batch of its own
		at := now.Add(-minutes * time.Minute)
		b.put("dead-letters", &kgo.Record{Timestamp: at, Value: rowLetter(t, "u1", "x", at)})
	}
	var least atomic.Int64 // offset that was asked for
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
	// A letter that is named and older is no mistake: it does not match.
	if out, got := b.run("dlq", "replay", "0/1", "--since", "25m", "--plan"); got.Code != 1 || !strings.Contains(got.Stderr, "no dead letter matches") {
		t.Errorf("an older one by its name: exit %d: %s%s", got.Code, out, got.Stderr)
	}
}

// names are those of the letters listed.
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
