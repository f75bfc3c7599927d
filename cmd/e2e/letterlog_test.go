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

	"dfinery-kafka/connector/csv"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestListAsItReads: dlq list shows the first letters while Kafka holds the later ones back, and all in the order of time.
func TestListAsItReads(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"table", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			fake := embedded(t, kfake.NumBrokers(1))
			b := newBench(t, new(exporttest.Server))
			b.brokers = strings.Join(fake.ListenAddrs(), ",")
			b.environ["KAFKA_BROKERS"] = b.brokers
			var want []string
			began := time.Now().Add(-time.Hour)
			b.createLetters(2)
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

// TestReplayInParts: letters with more bytes than the owner holds at a time are replayed to the last, a day of many letters by one call, and
// what is out of the API's reach is said before.
func TestReplayInParts(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{RowsOn: func(schema.Day) int { return 0 }}})
	b.unbounded()
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK"] = "0", "1h", "0"
	b.createLetters(3)
	var want []map[string]string
	var letters []*kgo.Record
	now := time.Now()
	for i := range 1200 {
		user, pad := fmt.Sprintf("u%d", i), strings.Repeat("x", 15_000)
		want = append(want, map[string]string{"df_unified_id": user, "pad": pad})
		letters = append(letters, &kgo.Record{Partition: int32(i % 3), Value: rowLetter(t, user, pad, now)})
	}
	today := schema.DayOf(now, seoul)
	for _, day := range []schema.Day{today, today, today, today - 40} {
		letters = append(letters, &kgo.Record{Partition: 0, Value: exportLetter(t, day)})
	}
	b.put("dead-letters", letters...)
	p := b.start(binary, nil, "run")
	p.await("export ended")
	calls := len(b.api.Calls())
	out, got := b.run("dlq", "replay", "--yes", "--wait", "1m")
	if got.Code != 0 {
		t.Errorf("exit %d: %s%s\n%s", got.Code, out, got.Stderr, p.text())
	}
	expect(t, out, "plan: 1204 dead letters: 1200 rows to be read again, 1 day to be exported again (1 call); 1 day out of the API's reach",
		"1200 rows published, 0 were published already, 0 are bad still, 1 day exported again")
	if n := len(b.api.Calls()) - calls; n != 1 {
		t.Errorf("%d calls, want 1", n)
	}
	if out, got := b.run("dlq", "replay", "2/5", "0/4000", "--yes"); got.Code != 1 || !strings.Contains(got.Stderr, "no dead letter of service 1234 at 0/4000") {
		t.Errorf("a letter that isn't there: exit %d: %s%s", got.Code, out, got.Stderr)
	}
	p.kill()
	compare(t, want, b.published("events"))
	_, state := b.books()
	for _, c := range state.Commands {
		if c.Letters != nil {
			t.Errorf("command %s has ended and keeps %d letters", c.ID, len(c.Letters))
		}
	}
}

// createLetters makes the dead-letter topic.
func (b *bench) createLetters(partitions int32) {
	b.t.Helper()
	b.createTopic("dead-letters", partitions, map[string]string{"message.timestamp.type": "CreateTime"})
}

// noise does not compress well: a fetch takes only so much of it.
func noise(size int) string {
	b := make([]byte, size/2)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// rowLetter is the dead letter of a row that can be read by now.
func rowLetter(t *testing.T, user, pad string, at time.Time) []byte {
	t.Helper()
	raw := user + "," + pad
	l := schema.RowLetter(schema.Export{Service: "1234", Stream: "events", Day: schema.DayOf(at, seoul), N: 1},
		&schema.BadRow{Code: schema.TooLarge, Origin: schema.OriginKafka, Detail: "line 2: too large"}, 0, schema.Request{}, at)
	l.Row.Raw, l.Row.RawBytes, l.Row.Columns = raw, int64(len(raw)), []string{"df_unified_id", "pad"}
	l.Row.ID = rowID(t, l.Row.Columns, raw)
	return inJSON(t, l)
}

// rowID is the id of the first such row of an export.
func rowID(t *testing.T, names []string, raw string) string {
	t.Helper()
	columns, err := schema.NewColumns(names)
	if err != nil {
		t.Fatal(err)
	}
	row, err := csv.ParseRow(columns, []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	var h schema.Hasher
	return string(schema.AppendID(nil, h.Row(row), 0))
}

func exportLetter(t *testing.T, day schema.Day) []byte {
	t.Helper()
	return inJSON(t, schema.ExportLetter(&schema.Failure{Code: schema.QueryError, Export: schema.Export{Service: "1234", Stream: "events", Day: day, N: 1}}, time.Now()))
}

func inJSON(t *testing.T, l *schema.DeadLetter) []byte {
	t.Helper()
	value, err := l.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return value
}
