package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// number reads a variable that makes a test larger, or gives what CI runs.
func number(t *testing.T, variable string, otherwise int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", variable, err)
	}
	return n
}

// unbounded lets a test make as many calls as it needs.
func (b *bench) unbounded() {
	b.environ["DFINERY_CALLS_PER_HOUR"], b.environ["CHECKPOINT_INTERVAL"] = "1000000", "100ms"
}

// settle runs the program until nothing is left, and compares.
func (b *bench) settle() {
	b.t.Helper()
	var got result
	for range 20 {
		_, got = b.run("run", "--once")
		noAlarm(b.t, got.Stderr)
		if got.Code == 0 {
			compare(b.t, b.served(schema.Event), b.published("events"))
			b.inOrder()
			b.balanced()
			return
		}
		if got.Code != 3 {
			b.t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
		}
	}
	b.t.Fatalf("there is always work left:\n%s", got.Stderr)
}

// inOrder checks that the rows of one export and key stand in their partition in the order of the export.
func (b *bench) inOrder() {
	b.t.Helper()
	last := map[string]int{} // by export and key: the place of the last row in its day
	for _, m := range b.consume(b.prefix+"events", kgo.ReadUncommitted()) {
		var row struct {
			ID string `json:"event_log_id"`
		}
		if err := json.Unmarshal([]byte(m.Value), &row); err != nil {
			b.t.Fatal(err)
		}
		place, ok := b.places()[row.ID]
		if !ok {
			b.t.Fatalf("no row has the event_log_id %q", row.ID)
		}
		if at := m.Export + "\x00" + m.Key; place < last[at] {
			b.t.Errorf("export %s: a row of key %s stands behind a later one", m.Export, m.Key)
		} else {
			last[at] = place
		}
	}
}

// places numbers the rows of all days in the order of their exports, by event_log_id.
func (b *bench) places() map[string]int {
	if b.order == nil {
		b.order = map[string]int{}
		for _, call := range b.api.Calls() {
			if call.Status != 200 || !call.Whole {
				continue
			}
			table := b.api.Expected(call)
			for column, name := range table.Columns {
				if name != "event_log_id" {
					continue
				}
				for i, row := range table.Rows {
					b.order[row[column]] = i
				}
			}
		}
	}
	return b.order
}

// TestCrashes kills the program again and again, at random times, while bodies are cut and rows arrive late. CRASH_ROWS, CRASH_DAYS,
// CRASH_KILLS and CRASH_SEED make it larger and repeat a run; with KAFKA_TEST_DIR, the directory of a deploy/kafka-up.sh of three nodes,
// brokers are killed as well.
func TestCrashes(t *testing.T) {
	t.Parallel()
	rows, days, kills := number(t, "CRASH_ROWS", 30_000), number(t, "CRASH_DAYS", 5), number(t, "CRASH_KILLS", 5)
	seed := uint64(number(t, "CRASH_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("CRASH_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	dice := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(n)
	}
	perDay := rows / days
	api := &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: seed, RowsPerDay: perDay, Odd: 0.05, Duplicates: 0.02, Late: 0.1, LateFrom: 3},
		Faults: func(exporttest.Call) *exporttest.Fault {
			switch dice(6) {
			case 0:
				return &exporttest.Fault{Then: exporttest.Close, At: int64(dice(perDay * 400))}
			case 1:
				return &exporttest.Fault{Then: exporttest.Reset, At: int64(dice(perDay * 400))}
			}
			return nil
		},
	}
	b := newBench(t, api)
	b.unbounded()
	b.environ["STREAM_EVENTS_START"] = strconv.Itoa(days - 1)
	b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"], b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "1s", "1s"
	for n := range kills {
		p := b.start(binary, nil, "run")
		if dir := os.Getenv("KAFKA_TEST_DIR"); dir != "" && n%7 == 3 {
			killBroker(t, filepath.Join(dir, strconv.Itoa(1+dice(3))), time.Duration(1+dice(8))*time.Second)
		}
		p.await(`"msg":"owner"`)
		select {
		case <-time.After(time.Duration(50+dice(1500)) * time.Millisecond):
		case <-p.done:
			t.Fatalf("the program ended:\n%s", p.text())
		}
		p.kill()
	}
	b.settle()
}

// killBroker kills a node of deploy/kafka-up.sh as kill -9 does, and starts it again after a while.
func killBroker(t *testing.T, node string, after time.Duration) {
	t.Helper()
	pid, err := os.ReadFile(filepath.Join(node, "pid"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("kill -9 of broker %s, back after %s", filepath.Base(node), after)
	if out, err := exec.Command("kill", "-9", strings.TrimSpace(string(pid))).CombinedOutput(); err != nil {
		t.Fatalf("kill %s: %v: %s", pid, err, out)
	}
	back := time.AfterFunc(after, func() {
		if out, err := exec.Command(filepath.Join(node, "start")).CombinedOutput(); err != nil {
			t.Errorf("start %s: %v: %s", node, err, out)
		}
	})
	t.Cleanup(func() {
		if back.Stop() {
			t.Errorf("broker %s was not started again", node)
		}
	})
}

// withFaults builds the program with its fault points.
var withFaults = sync.OnceValues(func() (string, error) {
	program := filepath.Join(filepath.Dir(binary), "dfinery-kafka-faults")
	out, err := exec.Command("go", "build", "-tags", "faults", "-o", program, "../dfinery-kafka").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("build with fault points: %w\n%s", err, out)
	}
	return program, err
})

// TestCrashBetweenSteps kills the program between any two steps of its protocol, at the first, second and third time it gets there;
// three times at those that a process takes but once.
func TestCrashBetweenSteps(t *testing.T) {
	t.Parallel()
	program, err := withFaults()
	if err != nil {
		t.Fatal(err)
	}
	steps := map[string][]int{
		"fenced": {1, 1, 1}, "owner": {1, 1, 1}, "restored": {1, 1, 1}, "called": {1, 2, 3}, "flushed": {1, 2, 3},
		"fingerprints": {1, 2, 3}, "days": {1, 2, 3}, "checkpointed": {1, 2, 3}, "renewing": {1, 2, 3}, "renewed": {1, 2, 3},
	}
	for step, counts := range steps {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{
				Limits: exporttest.Limits{PerHour: -1},
				Data:   exporttest.Data{Seed: 7, RowsPerDay: 4000, Duplicates: 0.05, Late: 0.2, LateFrom: 2},
			})
			b.unbounded()
			b.environ["FENCE_RENEWAL"] = "300ms"
			b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "200ms", "200ms"
			for _, n := range counts {
				p := b.start(program, []string{"FAULT_STEP=" + step, fmt.Sprintf("FAULT_COUNT=%d", n)}, "run")
				select {
				case <-p.done:
				case <-time.After(30 * time.Second):
					t.Fatalf("the step is not reached %d times:\n%s", n, p.text())
				}
			}
			b.settle()
		})
	}
}
