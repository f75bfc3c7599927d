package e2e

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// seoul is the source's time zone. It has no daylight saving time: a fixed offset is enough.
var seoul = time.FixedZone("Asia/Seoul", 9*3600)

// currentDay returns today in the source's time zone.
func currentDay() schema.Day { return schema.DayOf(time.Now(), seoul) }

// testbed is one service under test: a simulated API, a Kafka, and the program's environment.
type testbed struct {
	t         *testing.T
	api       *exporttest.Server
	brokers   string    // addresses for the test; the program uses KAFKA_BROKERS
	admins    []kgo.Opt // the test's login, if the brokers need one
	prefix    string    // of all topics
	environ   map[string]string
	program   string         // path of the executable
	positions map[string]int // see rowPositions

	changing sync.RWMutex // guards api
}

// partitions are those of each topic that the program creates: enough to spread the keys, and fewer
// than its default, as each costs a start some requests.
const partitions = 3

// newTestbed returns a service on the Kafka of KAFKA_TEST_BROKERS, or on one of the shared
// embedded brokers.
func newTestbed(t *testing.T, api *exporttest.Server) *testbed {
	t.Helper()
	brokers := os.Getenv("KAFKA_TEST_BROKERS")
	if brokers == "" {
		brokers = strings.Join(sharedBroker(t).ListenAddrs(), ",")
	}
	b := newTestbedOn(t, api, brokers)
	t.Cleanup((&testbed{t: t, brokers: brokers, prefix: b.prefix}).deleteAllTopics) // the test may change the brokers of b
	return b
}

// newScripted returns a service on a separate embedded broker, for tests that script, restrict
// or stop it.
func newScripted(t *testing.T, api *exporttest.Server, options ...kfake.Opt) (*testbed, *kfake.Cluster) {
	t.Helper()
	cluster := embedded(t, append([]kfake.Opt{kfake.NumBrokers(1)}, options...)...)
	clustertest.RefuseOldEpochs(cluster)
	return newTestbedOn(t, api, strings.Join(cluster.ListenAddrs(), ",")), cluster
}

// embedded starts an embedded Kafka that is closed at the end of the test.
func embedded(t *testing.T, options ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

func newTestbedOn(t *testing.T, api *exporttest.Server, brokers string) *testbed {
	t.Helper()
	if err := lookAtSources(); err != nil {
		t.Fatal(err)
	}
	api.Token = canary
	b := &testbed{t: t, api: api, brokers: brokers, prefix: fmt.Sprintf("t%08x.", rand.Uint32()), program: binary}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.changing.RLock()
		api := b.api
		b.changing.RUnlock()
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b.environ = map[string]string{
		"DFINERY_BASE_URL": server.URL, "DFINERY_SERVICE_ID": "1234", "DFINERY_EXPORT_TOKEN": canary, "KAFKA_BROKERS": brokers,
		"STREAM_EVENTS_TOPIC": b.prefix + "events", "DEAD_LETTER_TOPIC": b.prefix + "dead-letters", "LEDGER_TOPIC": b.prefix + "ledger",
		"STREAM_EVENTS_START": "2", "KAFKA_PARTITIONS": strconv.Itoa(partitions), "ADMIN_ADDR": "", "RETRY_BACKOFF": "20ms", "RETRY_MAX_BACKOFF": "200ms", "OWNER_HEARTBEAT": "200ms", "STANDBY_AFTER": "1s",
	}
	return b
}

// newLateRows returns a service that polls continuously and whose days have more rows in each
// export after the first.
func newLateRows(t *testing.T) *testbed {
	t.Helper()
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 21, RowsPerDay: 300, Odd: 0.1, Duplicates: 0.05, Late: 0.2, LateFrom: 2},
	})
	b.unlimited()
	b.pollEvery("100ms")
	return b
}

// unlimited removes the limit of calls and makes checkpoints frequent.
func (b *testbed) unlimited() {
	b.set("DFINERY_CALLS_PER_HOUR", "1000000", "CHECKPOINT_INTERVAL", "100ms")
}

// pollEvery sets how often the stream events exports today and the days of its lookback: with
// "1h" only once, at the start.
func (b *testbed) pollEvery(interval string) {
	b.set("STREAM_EVENTS_POLL_INTERVAL", interval, "STREAM_EVENTS_LOOKBACK_INTERVAL", interval)
}

// secondStream configures another stream of events that starts today.
func (b *testbed) secondStream(name string) {
	prefix := "STREAM_" + strings.ToUpper(name)
	b.set("STREAMS", "events,"+name, prefix+"_TOPIC", b.prefix+name, prefix+"_START", "0")
}

// set sets variables of the program: name, value, name, value and so on.
func (b *testbed) set(pairs ...string) {
	for pair := range slices.Chunk(pairs, 2) {
		b.environ[pair[0]] = pair[1]
	}
}

// change changes the simulator before its next call.
func (b *testbed) change(do func(*exporttest.Server)) {
	b.changing.Lock()
	defer b.changing.Unlock()
	do(b.api)
}

// env is the environment of the program. On one core it needs less CPU time, and the tests run
// many at once; GOMAXPROCS gives it more.
func (b *testbed) env() []string {
	environ := []string{"PATH=/bin", "GOMAXPROCS=" + cmp.Or(os.Getenv("GOMAXPROCS"), "1")}
	for _, name := range slices.Sorted(maps.Keys(b.environ)) {
		environ = append(environ, name+"="+b.environ[name])
	}
	return environ
}

// result is the exit code of a program and its output to stderr.
type result struct {
	Code   int
	Stderr string
}

// run runs the program until it ends. Before run --once it waits until days that are exported
// continuously are due again: the program can start faster than their interval.
func (b *testbed) run(args ...string) (string, result) {
	b.t.Helper()
	if slices.Equal(args, []string{"run", "--once"}) {
		b.sleep(b.interval())
	}
	return runProgram(b.t, b.program, b.env(), args...)
}

// interval is the longest interval of days that are exported continuously.
func (b *testbed) interval() (longest time.Duration) {
	for name, value := range b.environ {
		if !intervals.MatchString(name) {
			continue
		}
		if every, err := time.ParseDuration(value); err == nil && every < time.Second {
			longest = max(longest, every)
		}
	}
	return longest
}

// intervals are the variables that set how often days are exported.
var intervals = regexp.MustCompile("^STREAM_.*_(POLL|LOOKBACK)_INTERVAL$")

// runProgram runs a program until it ends, with the given environment only.
func runProgram(t *testing.T, program string, environ []string, args ...string) (string, result) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append([]string{"PATH=/bin"}, environ...), &stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		t.Fatal(exit, err)
	}
	if all := stdout.String() + stderr.String(); strings.Contains(all, canary) {
		t.Errorf("the output contains the token:\n%s", all)
	}
	return stdout.String(), result{cmd.ProcessState.ExitCode(), stderr.String()}
}

// runOnce runs "run --once", checks its exit code, and returns the log.
func (b *testbed) runOnce(code int) string {
	b.t.Helper()
	_, got := b.run("run", "--once")
	if got.Code != code {
		b.t.Fatalf("exit %d, want %d:\n%s", got.Code, code, got.Stderr)
	}
	return got.Stderr
}

// command runs a command, and checks that it succeeds and that its output contains the texts.
func (b *testbed) command(texts []string, args ...string) {
	b.t.Helper()
	out, got := b.run(args...)
	if got.Code != 0 {
		b.t.Fatalf("%s: exit %d:\n%s%s", strings.Join(args, " "), got.Code, out, got.Stderr)
	}
	expectText(b.t, out, texts...)
}

// finish runs the program until no work is left, then compares the topic with what was served:
// rows, their order and the ledger. No run may report a loss.
func (b *testbed) finish() {
	b.t.Helper()
	var got result
	for range 20 {
		_, got = b.run("run", "--once")
		expectNoLoss(b.t, got.Stderr)
		if got.Code == 0 {
			b.checkAll()
			return
		}
		if got.Code != 3 {
			b.t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
		}
	}
	b.t.Fatalf("work is left after many runs:\n%s", got.Stderr)
}

// await waits until a condition holds, and fails the test after two minutes.
func (b *testbed) await(what string, holds func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); {
		if time.Now().After(deadline) {
			b.t.Fatalf("timeout after two minutes while waiting for: %s", what)
		}
		b.sleep(50 * time.Millisecond)
	}
}

// sleep waits, and fails the test if its time is over.
func (b *testbed) sleep(d time.Duration) {
	b.t.Helper()
	select {
	case <-time.After(d):
	case <-b.t.Context().Done():
		b.t.Fatal(b.t.Context().Err())
	}
}

// number reads a variable that makes a test larger, or returns the value that CI uses.
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

// crashSeed returns and logs the seed of a random test: CRASH_SEED, which repeats a run, or a
// new one.
func crashSeed(t *testing.T) uint64 {
	t.Helper()
	seed := number(t, "CRASH_SEED", int(time.Now().UnixNano()&0xffffff))
	t.Logf("CRASH_SEED=%d", seed)
	return uint64(seed)
}

// expectText checks that a log or an output contains the texts.
func expectText(t *testing.T, log string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(log, text) {
			t.Errorf("%q is missing from:\n%s", text, log)
		}
	}
}

// expectNoLoss checks that a log reports no loss of rows or of ledger records.
func expectNoLoss(t *testing.T, log string) {
	t.Helper()
	for _, alarm := range []string{"may be published twice", "are missing from the ledger", "Kafka has lost"} {
		if strings.Contains(log, alarm) {
			t.Errorf("the log reports a loss, but nothing was lost:\n%s", log)
		}
	}
}
