package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	main "dfinery-kafka/cmd/bench"
)

// asBenchmark is set for a process of the test binary that runs as the benchmark.
const asBenchmark = "DFINERY_KAFKA_BENCH"

// program is the connector that is measured. It is built once, with the settings of go test,
// because those of a release would require to build all packages again. Without debug
// information it is linked in half the time.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(directory, "dfinery-kafka")
	output, err := exec.Command("go", "build", "-ldflags", "-s -w", "-o", path, "../dfinery-kafka").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build: %w\n%s", err, output)
	}
	return path, err
})

var directory string // of program

func TestMain(m *testing.M) {
	if os.Getenv(asBenchmark) != "" {
		main.Main()
		return
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	var err error
	if directory, err = os.MkdirTemp("", "bench"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(directory)
	return m.Run()
}

func connector(t *testing.T) string {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asBenchmark+"=1", "GOGC=1000") // all its processes are short
	var out, progress bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &progress
	err = cmd.Run()
	return out.String(), progress.String(), err
}

func TestAllContenders(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "bench.txt")
	table, stderr, err := run(t, "--kfake", "--rows", "500", "--rounds", "2", "--binary", connector(t), "--out", file)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	want := []string{"ours", "ours-known", "kafka-go", "franz-go"}
	if runtime.GOOS == "linux" {
		want = slices.Insert(want, 2, "ours-poll")
	}
	if _, err := exec.LookPath("kcat"); err == nil {
		want = append(want, "kcat")
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^(?: +\d+\.\d+){6} +([a-z-]+): `).FindAllStringSubmatch(table, -1) {
		got = append(got, m[1])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("contenders of the table: %s\n%s", diff, table)
	}
	saved, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got = nil
	for _, m := range regexp.MustCompile(`(?m)^BenchmarkExport/([a-z-]+) 1 [\d.]+ cpu-sec/op [\d.]+ sec/op \d+ peak-B/op$`).FindAllSubmatch(saved, -1) {
		got = append(got, string(m[1]))
	}
	var twice []string
	for _, name := range want {
		twice = append(twice, name, name)
	}
	if diff := cmp.Diff(twice, got); diff != "" {
		t.Errorf("runs in the file: %s\n%s", diff, saved)
	}
}

func TestFiguresOfWrongRunsAreNotShown(t *testing.T) {
	t.Parallel()
	idle := filepath.Join(t.TempDir(), "idle")
	if err := os.WriteFile(idle, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "bench.txt")
	table, stderr, err := run(t, "--kfake", "--rows", "10", "--rounds", "1", "--only", "ours", "--binary", idle, "--out", file)
	if err == nil || table != "" || !strings.Contains(stderr, "the result of ours is wrong") {
		t.Errorf("error %v, table %q, stderr %q", err, table, stderr)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file of figures: %v", err)
	}
}

// TestFiguresOfWrongPollsAreNotShown: the figures of a poll that publishes rows which should
// be known are not shown.
func TestFiguresOfWrongPollsAreNotShown(t *testing.T) {
	t.Parallel()
	wrong := filepath.Join(t.TempDir(), "wrong")
	script := fmt.Sprintf(`#!/bin/sh
[ "$2" = --once ] && exec %s "$@"
echo '{"msg":"export ended","known":9,"published":1}' >&2
exec sleep 10
`, connector(t))
	if err := os.WriteFile(wrong, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	table, stderr, err := run(t, "--kfake", "--rows", "10", "--rounds", "1", "--only", "ours-poll", "--binary", wrong, "--out", "")
	if err == nil || table != "" || !strings.Contains(stderr, "a poll knew 9 rows, want 10") {
		t.Errorf("error %v, table %q, stderr %q", err, table, stderr)
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	tables, stderr, err := run(t, "growth", "--kfake", "--rows", "300", "--largest", "300", "--binary", connector(t))
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	var got []string
	for _, m := range regexp.MustCompile(`(?m)^\| ([a-z0-9 ]+) \| (?:first|\d+ \| \d+ \| \d+ \| \d+ \|$)`).FindAllStringSubmatch(tables, -1) {
		got = append(got, m[1])
	}
	want := []string{
		"rows", "3", "30", "300", "columns", "6", "40", "200", "cells", "short", "10 times", "100 times", "partitions", "1", "6", "60",
		"codec", "none", "gzip", "snappy", "lz4", "zstd", "streams at once", "1", "3", "5",
		"hashed columns", "none", "3 whose cells repeat", "3 whose cells are all different", "keys", "even", "one has half of the rows",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tables: %s\n%s", diff, tables)
	}
}

func TestFiguresOfWrongGrowthAreNotShown(t *testing.T) {
	t.Parallel()
	idle := filepath.Join(t.TempDir(), "idle")
	if err := os.WriteFile(idle, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	tables, stderr, err := run(t, "growth", "--kfake", "--rows", "10", "--only", "codec", "--binary", idle)
	if err == nil || strings.Contains(tables, "none") || !strings.Contains(stderr, "codec none: the result of the first export is wrong") {
		t.Errorf("error %v, tables %q, stderr %q", err, tables, stderr)
	}
}

// record is the key and value of a record.
type record struct{ key, value string }

func TestVerify(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.DefaultNumPartitions(3), kfake.AllowAutoTopicCreation())
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	brokers := strings.Join(cluster.ListenAddrs(), ",")
	data := []string{"--rows", "50", "--day", "2026-11-23"}
	rendered, stderr, err := run(t, append([]string{"render"}, data...)...)
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	var rows []record
	for line := range strings.Lines(rendered) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		rows = append(rows, record{key, value})
	}
	event := regexp.MustCompile(`"event_name":"[^"]*"`)
	for n, c := range []struct {
		name   string
		change func([]record) []record
		right  bool
	}{
		{"as served", func(r []record) []record { return r }, true},
		{"another order", func(r []record) []record { slices.Reverse(r); return r }, true},
		{"escaped otherwise", func(r []record) []record {
			r[7].value = strings.Replace(r[7].value, "df_", `df\u005f`, -1)
			return r
		}, true},
		{"one is missing", func(r []record) []record { return r[1:] }, false},
		{"one occurs twice", func(r []record) []record { return append(r, r[3]) }, false},
		{"one in place of another", func(r []record) []record { r[4] = r[5]; return r }, false},
		{"another cell", func(r []record) []record {
			r[9].value = event.ReplaceAllString(r[9].value, `"event_name":"df_other"`)
			return r
		}, false},
		{"a cell less", func(r []record) []record {
			r[9].value = event.ReplaceAllString(r[9].value, "")
			r[9].value = strings.Replace(r[9].value, ",,", ",", 1)
			return r
		}, false},
		{"an empty cell", func(r []record) []record { r[9].value = `{"memo2":"",` + r[9].value[1:]; return r }, false},
		{"a cell more", func(r []record) []record { r[9].value = `{"more":"1",` + r[9].value[1:]; return r }, false},
		{"another key", func(r []record) []record { r[2].key += "0"; return r }, false},
		{"no JSON", func(r []record) []record { r[2].value += "}"; return r }, false},
		{"empty", func([]record) []record { return nil }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			topic := fmt.Sprint("t", n)
			produce(t, brokers, topic, c.change(slices.Clone(rows)))
			for _, listed := range []string{"50", "0"} { // by comparing each row, and by digest
				_, stderr, err := run(t, append([]string{"verify", "--brokers", brokers, "--topics", topic, "--listed", listed}, data...)...)
				if got := err == nil; got != c.right {
					t.Errorf("%s listed: right: %v, want %v: %s", listed, got, c.right, stderr)
				}
			}
		})
	}
}

func produce(t *testing.T, brokers, topic string, rows []record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var all []*kgo.Record
	for _, r := range rows {
		all = append(all, &kgo.Record{Key: []byte(r.key), Value: []byte(r.value)})
	}
	if err := client.ProduceSync(context.Background(), all...).FirstErr(); err != nil {
		t.Fatal(err)
	}
}
