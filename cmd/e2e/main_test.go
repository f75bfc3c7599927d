package e2e

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/pipeline/cluster/clustertest"
)

// canary is the export token of every test: no output, topic or log may contain it.
const canary = "c4n4ry-t0k3n"

// binary is the program under test, built once for all tests. The tag faults adds the points at
// which a test can crash it; they do nothing unless FAULT_STEP names one.
var binary string

// shared are the embedded brokers of the tests that do not need a separate one. Each test has
// its own topics on one of them. There are several because an embedded broker iterates over
// all its producers after each request.
var shared struct {
	mu       sync.Mutex // guards the following
	clusters [16]*kfake.Cluster
	next     int
}

func TestMain(m *testing.M) { os.Exit(runTests(m)) }

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "dfinery-kafka")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "dfinery-kafka")
	build := exec.Command("go", "build", "-tags", "faults", "-ldflags", "-s -w -X main.version=v1.2.3", "-o", binary, "../dfinery-kafka")
	if output, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, output)
		return 1
	}
	if err := flag.Set("test.parallel", strconv.Itoa(max(atOnce(), runtime.GOMAXPROCS(0)))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	// The tests compare many rows, and have enough memory.
	debug.SetGCPercent(1000)
	debug.SetMemoryLimit(2 << 30)
	defer func() {
		for _, cluster := range shared.clusters {
			if cluster != nil {
				cluster.Close()
			}
		}
	}()
	return m.Run()
}

// atOnce is how many tests run at once, which mostly wait for processes: more than there are cores.
// A real Kafka needs much of the CPU itself, and its clients have to answer in time.
func atOnce() int {
	if os.Getenv("KAFKA_TEST_BROKERS") != "" {
		return 8
	}
	return 20
}

// lookAtSources stats every file that the program is built from, once. go test reuses a cached
// result unless a file that the tests opened has changed, and this package does not import the
// program. Files that TestMain opens do not count.
var lookAtSources = sync.OnceValue(func() error {
	for _, dir := range []string{"cmd", "connector", "deploy", "pipeline", "schema"} {
		err := filepath.WalkDir(filepath.Join("../..", dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			_, err = os.Stat(path)
			return err
		})
		if err != nil {
			return fmt.Errorf("stat the program's sources: %w", err)
		}
	}
	_, err := os.Stat("../../go.mod")
	return err
})

// sharedBroker returns the next of the shared brokers, which is started when it is first used.
func sharedBroker(t *testing.T) *kfake.Cluster {
	t.Helper()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	cluster := &shared.clusters[shared.next%len(shared.clusters)]
	shared.next++
	if *cluster == nil {
		started, err := kfake.NewCluster(kfake.NumBrokers(1))
		if err != nil {
			t.Fatal(err)
		}
		clustertest.RefuseOldEpochs(started)
		*cluster = started
	}
	return *cluster
}
