package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// once runs the program once and expects an exit code.
func (b *bench) once(code int) string {
	b.t.Helper()
	_, got := b.run("run", "--once")
	if got.Code != code {
		b.t.Fatalf("exit %d, want %d:\n%s", got.Code, code, got.Stderr)
	}
	return got.Stderr
}

func lateBench(t *testing.T) *bench {
	b := newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 21, RowsPerDay: 1500, Odd: 0.1, Duplicates: 0.05, Late: 0.2, LateFrom: 2},
	})
	b.unbounded()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms", "100ms"
	return b
}

func expect(t *testing.T, log string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(log, text) {
			t.Errorf("the log does not say %q:\n%s", text, log)
		}
	}
}

// TestLedgerLost: with its ledger deleted, a service knows from its topics what was published.
func TestLedgerLost(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.once(0)
	b.deleteTopics("ledger", "ledger.rows")
	expect(t, b.once(0), "the ledger is empty: reading what the topics hold of this service", `"level":"ERROR","msg":"the ledger was lost`, `"days":3,`)
	if log := b.once(0); strings.Contains(log, "the ledger was lost") {
		t.Errorf("the loss is said again:\n%s", log)
	}
	compare(t, b.served(schema.Event), b.published("events"))
}

// TestLedgerRecordUnreadable: a record of the ledger that can't be read stops the service, which changes nothing.
func TestLedgerRecordUnreadable(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{"not JSON": "garbage", "a newer release's": `{"v":2,"state":"open"}`, "an unknown state": `{"state":"half"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := lateBench(t)
			b.once(0)
			b.connected(func(ctx context.Context, client *kgo.Client) error {
				key := fmt.Sprintf("day/1234/events/%s", schema.DayOf(time.Now(), seoul)-1)
				return client.ProduceSync(ctx, &kgo.Record{Topic: b.prefix + "ledger", Key: []byte(key), Value: []byte(value)}).FirstErr()
			})
			before := len(b.published("events"))
			expect(t, b.once(1), "can't be read", "at offset ", "The service stops rather than count it as absent")
			if n := len(b.published("events")); n != before {
				t.Errorf("%d rows were published all the same", n-before)
			}
		})
	}
}

// TestLedgerPolicy: ledger topics that would forget are said while the service runs, and refused at its start, with the command that mends them.
func TestLedgerPolicy(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.once(0)
	p := b.start(binary, nil, "run")
	p.await(`"msg":"owner"`)
	b.alter("ledger", "cleanup.policy", "delete")
	p.await("kafka-configs.sh --bootstrap-server " + b.brokers + " --alter --entity-type topics --entity-name " + b.prefix + "ledger --add-config cleanup.policy=compact")
	p.kill()
	b.alter("ledger.rows", "retention.ms", "86400000")
	expect(t, b.once(1), "has cleanup.policy=delete, the ledger needs compact alone",
		"--alter --entity-type topics --entity-name "+b.prefix+"ledger --add-config cleanup.policy=compact",
		"has retention.ms=86400000", "--entity-name "+b.prefix+"ledger.rows --add-config retention.ms=3024000000")
	b.alter("ledger", "cleanup.policy", "compact")
	b.alter("ledger.rows", "retention.ms", "3024000000")
	b.once(0)
	compare(t, b.served(schema.Event), b.published("events"))
}

// TestPartitionsAdded: new partitions of a stream's topic are used; those of the ledger, which move the service's key, are refused.
func TestPartitionsAdded(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.once(0)
	b.grow("events", 11)
	b.once(0)
	b.once(0)
	compare(t, b.served(schema.Event), b.published("events"))

	moved := 2 // partitions, of which the service's key is not in the first
	for cluster.PartitionOf([]byte("1234"), moved) == 0 {
		moved++
	}
	b.grow("ledger", moved)
	expect(t, b.once(1), "partitions were added to the ledger")
}

// TestPartitionsAddedWhileRunning: new partitions of a topic are fenced before anything is written to them.
func TestPartitionsAddedWhileRunning(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	p := b.start(binary, nil, "run")
	p.await(`"code":"ok"`)
	b.grow("events", 9)
	p.await("the topics have changed")
	p.awaitMore(`"msg":"owner"`, 1)
	p.kill()
	b.settle()
}

// TestTopicDeleted: the rows of a deleted topic are lost, and the command that publishes them again is said.
func TestTopicDeleted(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.once(0)
	b.deleteTopics("events")
	day := schema.DayOf(time.Now(), seoul)
	expect(t, b.once(0), "Kafka has lost acknowledged rows of a stream: publish its days again",
		fmt.Sprintf("dfinery-kafka backfill events --from %s --to %s --again", day-2, day))
}
