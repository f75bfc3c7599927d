package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
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

	"dfinery-kafka/cmd/golden"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// releaseBefore is the commit of the previous release. An installation can be rolled back to it
// and upgraded again.
const releaseBefore = "344fc7d"

// buildBefore builds the previous release from the repository's history.
var buildBefore = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(filepath.Dir(binary), "release-before")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	archive := exec.Command("git", "archive", "--format=tar", releaseBefore)
	archive.Dir = "../.." // the whole repository, not only this folder
	sources, err := archive.Output()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, bytes.TrimSpace(exit.Stderr))
	}
	if err != nil {
		return "", fmt.Errorf("read the previous release, commit %s, from the history (in a shallow clone run git fetch --unshallow): %w", releaseBefore, err)
	}
	unpack := exec.Command("tar", "-x", "-C", dir)
	unpack.Stdin = bytes.NewReader(sources)
	if out, err := unpack.CombinedOutput(); err != nil {
		return "", fmt.Errorf("unpack the previous release: %w\n%s", err, out)
	}
	overlay, err := replaceSources(dir)
	if err != nil {
		return "", fmt.Errorf("replace the sources by those of the previous release: %w", err)
	}
	program := filepath.Join(filepath.Dir(binary), "dfinery-kafka-before")
	build := exec.Command("go", "build", "-buildvcs=false", "-ldflags", "-s -w", "-overlay", overlay, "-o", program, "../dfinery-kafka")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the previous release: %w\n%s", err, out)
	}
	return program, nil
})

// replaceSources writes an overlay for go build that replaces the files of this repository by
// those of dir. A build in dir itself would not use the build cache, since its path changes.
func replaceSources(dir string) (overlay string, err error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, tree := range []struct {
		dir string
		by  func(path string) string
	}{
		{root, func(string) string { return "" }}, // deleted
		{dir, func(path string) string { return filepath.Join(dir, path) }},
	} {
		err := filepath.WalkDir(tree.dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if entry.IsDir() && path != tree.dir && strings.HasPrefix(entry.Name(), ".") {
				return fs.SkipDir
			}
			name, err := filepath.Rel(tree.dir, path)
			if err == nil && entry.Type().IsRegular() {
				replace[filepath.Join(root, name)] = tree.by(name)
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay = filepath.Join(filepath.Dir(binary), "release-before.json")
	return overlay, os.WriteFile(overlay, text, 0o600)
}

// programBefore returns the path of the previous release's program.
func programBefore(t *testing.T) string {
	t.Helper()
	program, err := buildBefore()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// newGrowingDays returns a service whose days have rows.Load() rows in each call.
func newGrowingDays(t *testing.T) (b *testbed, rows *atomic.Int64) {
	rows = new(atomic.Int64)
	rows.Store(40)
	b = newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 31, RowsOn: func(schema.Day) int { return int(rows.Load()) }, Odd: 0.1, Duplicates: 0.1},
	})
	b.unlimited()
	b.pollEvery("100ms")
	return b, rows
}

// TestRelease_Rollback runs the previous release, this one, and both again on one ledger. Rows,
// the order of their columns and all counts stay correct, and neither release removes members of
// a record that it does not know.
func TestRelease_Rollback(t *testing.T) {
	t.Parallel()
	b, rows := newGrowingDays(t)
	b.pollEvery("20ms") // shorter than the time between runs: each run exports the new rows
	former := programBefore(t)
	for turn, program := range []string{former, binary, former, binary} {
		b.program = program
		expectNoLoss(t, b.runOnce(0))
		b.compareEvents()
		b.checkLedger()
		b.checkColumnOrder()
		if turn == 0 {
			if golden.Update() {
				b.dumpLedger(filepath.Join("..", "..", "pipeline", "ledger", "store", "testdata", "release-before.jsonl"))
			}
			b.addMember("service/1234", "a_later_release")
		} else if _, ok := b.ledgerRecords()["service/1234"]["a_later_release"]; !ok {
			t.Errorf("run %d has removed an unknown member of the service's record", turn)
		}
		rows.Add(40)
	}
}

// TestRelease_RollbackAfterCrash kills both releases during exports: each recovers what the other
// has published.
func TestRelease_RollbackAfterCrash(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(crashSeed(t), 1))
	b, rows := newGrowingDays(t)
	former := programBefore(t)
	for turn := range 6 {
		b.program = []string{former, binary}[turn%2]
		p := b.start("run")
		p.await(isOwner)
		for range 1 + rng.IntN(4) {
			rows.Add(100)
			b.sleep(time.Duration(rng.IntN(200)) * time.Millisecond)
		}
		p.kill()
		expectNoLoss(t, p.log())
	}
	b.finish()
	b.checkColumnOrder()
}

// checkColumnOrder checks that records and the ledger have the columns in the order of the export.
func (b *testbed) checkColumnOrder() {
	b.t.Helper()
	var columns []string
	for _, call := range b.api.Calls() {
		if call.Status == 200 && call.Whole {
			columns = b.api.Expected(call).Columns
		}
	}
	state := b.ledgerState()
	if diff := cmp.Diff(columns, state.Service.Streams["events"].Columns); diff != "" {
		b.t.Errorf("columns in the ledger (-served +ledger):\n%s", diff)
	}
	for _, m := range b.consume("events", kgo.ReadUncommitted()) {
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

// addMember adds a member to a record of the ledger, as a later release may.
func (b *testbed) addMember(key, member string) {
	b.t.Helper()
	record := b.ledgerRecords()[key]
	record[member] = json.RawMessage(`{"of":["a","later"],"release":1}`)
	value, err := json.Marshal(record)
	if err != nil {
		b.t.Fatal(err)
	}
	b.put("ledger", &kgo.Record{Key: []byte(key), Value: value})
}

// dumped is a line of the file that dumpLedger writes: a record of a topic of the ledger.
type dumped struct {
	Topic      string `json:"topic"` // "" or ".rows"
	Offset     int64  `json:"offset"`
	Key        string `json:"key"`
	Value      string `json:"value,omitempty"`
	Generation string `json:"generation,omitempty"`
	Prints     []byte `json:"prints,omitempty"`
}

// dumpLedger writes the records of the ledger's two topics to a file, which tests of other
// packages read.
func (b *testbed) dumpLedger(path string) {
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
		b.withClient(func(ctx context.Context, client *kgo.Client) error {
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
					break // the last record may be a marker, which consumers do not return
				}
			}
			return nil
		})
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		b.t.Fatal(err)
	}
}
