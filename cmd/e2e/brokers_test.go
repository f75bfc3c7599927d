package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// newFaultBench is a service whose exports take a while, on the three brokers of a deploy/kafka-up.sh that KAFKA_TEST_DIR names.
// BROKER_ROWS makes its tests larger. They take turns: each kills brokers.
func newFaultBench(t *testing.T, seed uint64) *bench {
	t.Helper()
	if os.Getenv("KAFKA_TEST_DIR") == "" {
		t.Skip("needs the directory of a deploy/kafka-up.sh of three nodes in KAFKA_TEST_DIR")
	}
	b := newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1},
		Data:   exporttest.Data{Seed: seed, RowsPerDay: number(t, "BROKER_ROWS", 100_000) / 5, Odd: 0.05, Duplicates: 0.02, Late: 0.1, LateFrom: 3},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 128 << 10, DripEvery: 25 * time.Millisecond}
		},
	})
	b.unbounded()
	b.environ["STREAM_EVENTS_START"] = "4"
	b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"], b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "1s", "1s"
	return b
}

func node(n int) string { return filepath.Join(os.Getenv("KAFKA_TEST_DIR"), strconv.Itoa(n)) }

// killed kills a broker for good, until start.
func (b *bench) killed(n int) {
	b.t.Helper()
	pid := strings.TrimSpace(read(b.t, filepath.Join(node(n), "pid")))
	if out, err := exec.Command("kill", "-9", pid).CombinedOutput(); err != nil {
		b.t.Fatalf("kill %s: %v: %s", pid, err, out)
	}
	b.t.Logf("broker %d is killed", n)
	b.t.Cleanup(func() {
		if exec.Command("kill", "-0", strings.TrimSpace(read(b.t, filepath.Join(node(n), "pid")))).Run() != nil {
			b.started(n)
		}
	})
}

func (b *bench) started(n int) {
	b.t.Helper()
	if out, err := exec.Command(filepath.Join(node(n), "start")).CombinedOutput(); err != nil {
		b.t.Fatalf("start broker %d: %v: %s", n, err, out)
	}
	b.t.Logf("broker %d is started", n)
}

// inSync waits until every replica of the bench's topics is in sync again.
func (b *bench) inSync() {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 2*time.Minute)
	defer cancel()
	for {
		whole := false
		b.ask(func(_ context.Context, client *kadm.Client) error {
			once, cancel := context.WithTimeout(ctx, 5*time.Second)
			defer cancel()
			topics, err := client.ListTopics(once)
			whole = err == nil
			topics.EachPartition(func(p kadm.PartitionDetail) {
				if strings.HasPrefix(p.Topic, b.prefix) && (p.Leader < 0 || len(p.ISR) != len(p.Replicas)) {
					whole = false
				}
			})
			return nil
		})
		if whole {
			return
		}
		b.pass(ctx, 200*time.Millisecond)
	}
}

// pass lets time pass, and fails when there is none left.
func (b *bench) pass(ctx context.Context, d time.Duration) {
	b.t.Helper()
	select {
	case <-time.After(d):
	case <-ctx.Done():
		b.t.Fatal(ctx.Err())
	}
}

// alive fails when the program has ended.
func (p *process) alive() {
	p.t.Helper()
	select {
	case <-p.done:
		p.t.Fatalf("the program ended:\n%s", p.text())
	default:
	}
}

// TestBrokersDie kills each broker in turn, the controller among them, and then all of them for twenty seconds, under one program that
// goes on each time.
func TestBrokersDie(t *testing.T) {
	b := newFaultBench(t, 71)
	p := b.start(binary, nil, "run")
	p.await(`"msg":"owner"`)
	for n := 1; n <= 3; n++ {
		b.pass(t.Context(), time.Second)
		b.killed(n)
		b.pass(t.Context(), 3*time.Second)
		b.started(n)
		b.inSync()
		p.alive()
	}
	for n := 1; n <= 3; n++ {
		b.killed(n)
	}
	b.pass(t.Context(), 20*time.Second)
	expect(t, p.text(), "waiting for Kafka to take records", "connection refused")
	for n := 1; n <= 3; n++ {
		b.started(n)
	}
	b.inSync()
	calls := len(b.api.Calls())
	deadline, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for len(b.api.Calls()) < calls+3 {
		p.alive()
		b.pass(deadline, 100*time.Millisecond)
	}
	p.kill()
	b.settle()
}

// TestBelowMinISR keeps one stream's topic below its min.insync.replicas for a minute: the other stream goes on, the log says what is
// waited for, and afterwards nothing is missing.
func TestBelowMinISR(t *testing.T) {
	b := newFaultBench(t, 72)
	b.environ["STREAMS"], b.environ["STREAM_OTHER_TOPIC"], b.environ["STREAM_OTHER_START"] = "events,other", b.prefix+"other", "1"
	b.environ["STREAM_OTHER_LOOKBACK_INTERVAL"], b.environ["STREAM_OTHER_POLL_INTERVAL"] = "1s", "1s"
	p := b.start(binary, nil, "run")
	p.await(`"msg":"owner"`)
	b.alter("events", "min.insync.replicas", "3")
	b.killed(2)
	began := time.Now()
	p.await("can't be fenced now, so they can't be written") // after stuckAfter
	grew, owned := b.ends("other"), strings.Count(p.text(), `"msg":"owner"`)
	for time.Since(began) < time.Minute {
		p.alive()
		b.pass(t.Context(), time.Second)
	}
	if now := b.ends("other"); now <= grew {
		t.Errorf("the other stream stands still at %d records:\n%s", now, p.text())
	}
	// Each take-over ends the exports of the other stream.
	if now := strings.Count(p.text(), `"msg":"owner"`); now > owned+2 {
		t.Errorf("%d take-overs while the topic waited for its replicas:\n%s", now-owned, p.text())
	}
	expect(t, p.text(), "of its replicas are in sync, min.insync.replicas is 3")
	b.started(2)
	b.inSync()
	p.kill()
	b.settle()
	if got := b.published("other"); len(got) == 0 {
		t.Error("the other stream has published nothing")
	}
}

// ends is the sum of a topic's end offsets.
func (b *bench) ends(stream string) int64 {
	b.t.Helper()
	var sum int64
	b.ask(func(ctx context.Context, client *kadm.Client) error {
		ends, err := client.ListEndOffsets(ctx, b.prefix+stream)
		ends.Each(func(o kadm.ListedOffset) { sum += o.Offset })
		return err
	})
	return sum
}

// TestLeaderlessAtTakeOver puts an owner to sleep while a partition has no leader, lets another instance take over, and wakes the old
// one just when the partition's broker comes back: what it still sends there is refused, or found by the new one before it writes.
func TestLeaderlessAtTakeOver(t *testing.T) {
	b := newFaultBench(t, 73)
	b.admin(func(ctx context.Context, client *kadm.Client) error {
		one := "1"
		_, err := client.CreateTopic(ctx, 6, 1, map[string]*string{"min.insync.replicas": &one}, b.prefix+"events")
		return err
	})
	// The owner's new beginnings, when the broker is back, must not look like its silence.
	b.environ["OWNER_HEARTBEAT"], b.environ["STANDBY_AFTER"] = "1s", "1m"
	for round := range 2 {
		old := b.start(binary, nil, "run")
		old.await(`"msg":"owner"`)
		b.pass(t.Context(), time.Second)
		b.killed(3)
		b.pass(t.Context(), time.Duration(200*round)*time.Millisecond)
		if err := old.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		now := b.start(binary, nil, "run")
		now.await("can't be fenced now, so they can't be written")
		now.await(`"msg":"owner"`)
		b.started(3)
		if err := old.cmd.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		old.await("stand-by: another instance owns the service")
		now.awaitMore(`"msg":"owner"`, 1)
		b.pass(t.Context(), 2*time.Second)
		now.kill()
		old.kill()
		b.inSync()
	}
	b.settle()
	compare(t, b.served(schema.Event), b.published("events"))
}
