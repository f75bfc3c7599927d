package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"dfinery-kafka/connector/exporttest"
)

// newThreeBrokers returns a service with slow exports on three brokers that deploy/kafka-up.sh
// started in the directory KAFKA_TEST_DIR. BROKER_ROWS makes its tests larger. They must not
// run in parallel, because they kill brokers.
func newThreeBrokers(t *testing.T, seed uint64) *testbed {
	t.Helper()
	if os.Getenv("KAFKA_TEST_DIR") == "" {
		t.Skip("needs the directory of a deploy/kafka-up.sh of three nodes in KAFKA_TEST_DIR")
	}
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1},
		Data:   exporttest.Data{Seed: seed, RowsPerDay: number(t, "BROKER_ROWS", 100_000) / 5, Odd: 0.05, Duplicates: 0.02, Late: 0.1, LateFrom: 3},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 128 << 10, DripEvery: 25 * time.Millisecond}
		},
	})
	b.unlimited()
	b.set("STREAM_EVENTS_START", "4")
	b.pollEvery("1s")
	return b
}

func node(n int) string { return filepath.Join(os.Getenv("KAFKA_TEST_DIR"), strconv.Itoa(n)) }

// killBroker kills a broker with kill -9. The end of the test starts it again.
func (b *testbed) killBroker(n int) {
	b.t.Helper()
	pid := strings.TrimSpace(readFile(b.t, filepath.Join(node(n), "pid")))
	if out, err := exec.Command("kill", "-9", pid).CombinedOutput(); err != nil {
		b.t.Fatalf("kill %s: %v: %s", pid, err, out)
	}
	b.t.Logf("broker %d is killed", n)
	b.t.Cleanup(func() {
		if exec.Command("kill", "-0", strings.TrimSpace(readFile(b.t, filepath.Join(node(n), "pid")))).Run() != nil {
			b.startBroker(n)
		}
	})
}

func (b *testbed) startBroker(n int) {
	b.t.Helper()
	if out, err := exec.Command(filepath.Join(node(n), "start")).CombinedOutput(); err != nil {
		b.t.Errorf("start broker %d: %v: %s", n, err, out)
		return
	}
	b.t.Logf("broker %d is started", n)
}

// awaitInSync waits until every replica of the test's topics is in sync.
func (b *testbed) awaitInSync() {
	b.t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; b.sleep(200 * time.Millisecond) {
		inSync := false
		b.query(func(ctx context.Context, client *kadm.Client) error {
			once, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			topics, err := client.ListTopics(once)
			inSync = err == nil
			topics.EachPartition(func(p kadm.PartitionDetail) {
				if strings.HasPrefix(p.Topic, b.prefix) && (p.Leader < 0 || len(p.ISR) != len(p.Replicas)) {
					inSync = false
				}
			})
			return nil
		})
		if inSync {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatal("the replicas are not in sync within two minutes")
		}
	}
}
