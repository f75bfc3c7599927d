package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// releaseBefore is the commit of the release before this one. A release can be taken back to it, and forward again.
const releaseBefore = "344fc7d"

// programBefore builds the release before from the repository's history.
var programBefore = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(filepath.Dir(binary), "release-before")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	archive := exec.Command("git", "archive", "--format=tar", releaseBefore)
	archive.Dir = "../.." // all of the tree, not only this folder
	sources, err := archive.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return "", fmt.Errorf("read the release before, commit %s, from the history (a shallow clone lacks it: git fetch --unshallow): %w", releaseBefore, err)
	}
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(sources)
	if out, err := unpack.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack the release before: %w\n%s", err, out)
	}
	build := exec.Command("go", "build", "-o", "dfinery-kafka", "./cmd/dfinery-kafka")
	build.Dir = dir
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the release before: %w\n%s", err, out)
	}
	return filepath.Join(dir, "dfinery-kafka"), nil
})

// before is the program of the release before.
func before(t *testing.T) string {
	t.Helper()
	program, err := programBefore()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// newGrowingBench is a service whose days have as many rows as rows says: more and more.
func newGrowingBench(t *testing.T) (b *bench, rows *atomic.Int64) {
	rows = new(atomic.Int64)
	rows.Store(40)
	b = newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 31, RowsOn: func(schema.Day) int { return int(rows.Load()) }, Odd: 0.1, Duplicates: 0.1},
	})
	b.unbounded()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms", "100ms"
	return b, rows
}

// TestReleaseTakenBack runs the release before, this one, and both again on one ledger. Rows, their columns' order and all counts stay
// right, and neither release drops what it does not know of the other's.
func TestReleaseTakenBack(t *testing.T) {
	t.Parallel()
	b, rows := newGrowingBench(t)
	former := before(t)
	for turn, program := range []string{former, binary, former, binary} {
		out, err := b.program(program, "run", "--once")
		if err != nil {
			t.Fatalf("turn %d: %v:\n%s", turn, err, out)
		}
		noAlarm(t, out)
		compare(t, b.served(schema.Event), b.published("events"))
		b.balanced()
		b.columnsInOrder()
		if turn == 0 {
			if *update {
				b.dumpLedger(filepath.Join("..", "..", "pipeline", "ledger", "testdata", "release-before.jsonl"))
			}
			b.addMember("service/1234", "a_later_release")
		} else if _, ok := b.ledgerRecords()["service/1234"]["a_later_release"]; !ok {
			t.Errorf("turn %d has dropped a member of the service's record that it does not know", turn)
		}
		rows.Add(40)
	}
}

// TestReleaseTakenBackInACrash is the same with each program killed at work, by kill -9: the next one recovers what the other has left.
func TestReleaseTakenBackInACrash(t *testing.T) {
	t.Parallel()
	seed := uint64(number(t, "CRASH_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("CRASH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	b, rows := newGrowingBench(t)
	former := before(t)
	for turn := range 6 {
		p := b.start([]string{former, binary}[turn%2], nil, "run")
		p.await(`"msg":"owner"`)
		for range 1 + rng.IntN(4) {
			rows.Add(100)
			b.pass(t.Context(), time.Duration(rng.IntN(200))*time.Millisecond)
		}
		p.kill()
		noAlarm(t, p.text())
	}
	b.settle()
	b.columnsInOrder()
}

// program runs one of several programs to its end.
func (b *bench) program(path string, args ...string) (string, error) {
	cmd := exec.CommandContext(b.t.Context(), path, args...)
	cmd.Env = b.env()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// columnsInOrder checks that each record has its members in the order of the export's columns, and that the ledger has them so, too.
func (b *bench) columnsInOrder() {
	b.t.Helper()
	var columns []string
	for _, call := range b.api.Calls() {
		if call.Status == 200 && call.Whole {
			columns = b.api.Expected(call).Columns
		}
	}
	_, state := b.books()
	if diff := cmp.Diff(columns, state.Service.Streams["events"].Columns); diff != "" {
		b.t.Errorf("columns in the ledger (-served +ledger):\n%s", diff)
	}
	for _, m := range b.consume(b.prefix+"events", kgo.ReadUncommitted()) {
		members := json.NewDecoder(bytes.NewReader([]byte(m.Value)))
		at := 0
		for depth, n := 0, 0; ; n++ {
			token, err := members.Token()
			if err != nil {
				break
			}
			if d, ok := token.(json.Delim); ok {
				depth += map[json.Delim]int{'{': 1, '}': -1}[d]
				n = -1
				continue
			}
			if depth != 1 || n%2 != 0 {
				continue
			}
			next := slices.Index(columns[at:], token.(string))
			if next < 0 {
				b.t.Fatalf("the record's members are not in the order of the columns %v:\n%s", columns, m.Value)
			}
			at += next + 1
		}
	}
}

// ledgerRecords are the newest records of the ledger by key, as they stand there.
func (b *bench) ledgerRecords() map[string]map[string]json.RawMessage {
	b.t.Helper()
	records := map[string]map[string]json.RawMessage{}
	for _, m := range b.consume(b.prefix+"ledger", kgo.ReadUncommitted()) {
		members := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(m.Value), &members); err != nil {
			b.t.Fatalf("%s: %v", m.Key, err)
		}
		records[m.Key] = members
	}
	return records
}

// addMember adds a member to a record of the ledger, as a later release may.
func (b *bench) addMember(key, member string) {
	b.t.Helper()
	record := b.ledgerRecords()[key]
	record[member] = json.RawMessage(`{"of":["a","later"],"release":1}`)
	value, err := json.Marshal(record)
	if err != nil {
		b.t.Fatal(err)
	}
	b.put("ledger", &kgo.Record{Key: []byte(key), Value: value})
}

// dumped is a record of the ledger's two topics in a file.
type dumped struct {
	Topic      string `json:"topic"` // "" or ".rows"
	Offset     int64  `json:"offset"`
	Key        string `json:"key"`
	Value      string `json:"value,omitempty"`
	Generation string `json:"generation,omitempty"`
	Prints     []byte `json:"prints,omitempty"`
}

// dumpLedger writes the ledger's two topics into a file, for the tests of what reads them.
func (b *bench) dumpLedger(path string) {
	b.t.Helper()
	var file bytes.Buffer
	lines := json.NewEncoder(&file)
	lines.SetEscapeHTML(false)
	host, err := os.Hostname()
	if err != nil {
		b.t.Fatal(err)
	}
	anonymous := strings.NewReplacer(b.prefix, "", `"host":"`+host, `"host":"machine`, `"instance":"`+host, `"instance":"machine`)
	for _, topic := range []string{"", ".rows"} {
		b.connected(func(ctx context.Context, client *kgo.Client) error {
			ends, err := kadm.NewClient(client).ListEndOffsets(ctx, b.prefix+"ledger"+topic)
			if err != nil {
				return err
			}
			end, _ := ends.Lookup(b.prefix+"ledger"+topic, 0)
			client.AddConsumePartitions(map[string]map[int32]kgo.Offset{end.Topic: {0: kgo.NewOffset().AtStart()}})
			for next := int64(0); next < end.Offset-1; {
				fetched := client.PollFetches(ctx)
				if err := fetched.Err(); err != nil {
					return err
				}
				fetched.EachRecord(func(r *kgo.Record) {
					next = r.Offset
					line := dumped{Topic: topic, Offset: r.Offset, Key: string(r.Key), Value: anonymous.Replace(string(r.Value))}
					if topic != "" {
						line.Value, line.Prints, line.Generation = "", r.Value, string(r.Headers[0].Value)
					}
					err = errors.Join(err, lines.Encode(line))
				})
				if err != nil {
					return err
				}
				if next == end.Offset-2 {
					break // a marker may be the last, which is not handed out
				}
			}
			return nil
		})
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		b.t.Fatal(err)
	}
}
