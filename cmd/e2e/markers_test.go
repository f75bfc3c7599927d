package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// TestMarkersOutliveCompaction stops an owner, lets another instance take over, has the cleaner compact, and takes the producer snapshots
// away from all brokers, so that they know of producers only what the logs still hold. Then the old owner goes on: the brokers must refuse
// what it writes. The instance that took over either lives, or has died right after its fence, when the marker alone keeps the old one out.
// Without the compaction lag the old one may write; whether it does is logged, for it is up to Kafka.
func TestMarkersOutliveCompaction(t *testing.T) {
	program, err := withFaults()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		dies, lag bool
	}{
		"a living owner":                     {dies: false, lag: true},
		"an owner that died after its fence": {dies: true, lag: true},
		"without the lag":                    {dies: true, lag: false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newFaultBench(t, 74)
			eager := map[string]string{"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.001", "delete.retention.ms": "0"}
			b.createTopic("ledger", 1, eager)
			b.createTopic("witness", 1, eager)
			b.environ["OWNER_HEARTBEAT"], b.environ["STANDBY_AFTER"] = "1s", "5m"
			old := b.start(binary, nil, "run")
			old.awaitMore(exported, 2)
			stop(t, old)
			var taker *process
			if test.dies {
				taker = b.start(program, []string{"FAULT_STEP=fenced"}, "run")
				<-taker.done
			} else {
				taker = b.start(binary, nil, "run")
				taker.awaitMore(exported, 1)
			}
			lag := "min.compaction.lag.ms"
			if got := b.configs("ledger")[lag]; got != oneDay {
				t.Fatalf("the ledger has %s=%s", lag, got)
			}
			if !test.lag {
				b.alter("ledger", lag, "0")
			}
			fenced := b.fencedAt()
			b.compact("witness")
			b.forgetProducers()
			wake(t, old)
			old.await("stand-by: another instance owns the service")
			written := b.writtenBefore(fenced)
			switch {
			case test.lag && written != "":
				t.Errorf("the old owner has written to the ledger after it was fenced: %s", written)
			case !test.lag:
				t.Logf("without the lag the old owner has written: %q", written)
			}
			old.kill()
			taker.kill()
			if test.lag {
				b.environ["STANDBY_AFTER"] = "5s"
				b.settle()
				compare(t, b.served(schema.Event), b.published("events"))
			}
		})
	}
}

func stop(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
}

func wake(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
}

// fencedAt is the last marker in the ledger's log.
func (b *bench) fencedAt() (last cluster.Marker) {
	b.t.Helper()
	b.readLedger(cluster.Visitor{Marker: func(m cluster.Marker) error {
		last = m
		return nil
	}})
	return last
}

// writtenBefore names a record of the ledger that stands behind the marker and has an older epoch of the same producer; "" without any.
func (b *bench) writtenBefore(m cluster.Marker) (found string) {
	b.t.Helper()
	b.readLedger(cluster.Visitor{Record: func(r *cluster.Record) error {
		if r.Offset > m.Offset && r.ProducerID == m.ProducerID && r.ProducerEpoch < m.ProducerEpoch {
			found = fmt.Sprintf("%s at offset %d, epoch %d, the marker at %d has %d", r.Key, r.Offset, r.ProducerEpoch, m.Offset, m.ProducerEpoch)
		}
		return nil
	}})
	return found
}

func (b *bench) readLedger(v cluster.Visitor) {
	b.t.Helper()
	books, state := b.books()
	at := cluster.TopicPartition{Topic: books.Topic}
	log, err := books.Cluster.Log(b.t.Context(), at)
	if err == nil {
		err = books.Cluster.Read(b.t.Context(), at, log.Start, max(log.End, state.End), v)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// compact writes to the ledger and to a witness, a topic that is compacted without a lag, until the cleaner has compacted the witness twice
// since, on the leader and on the others: so it has looked at the ledger, too.
func (b *bench) compact(witness string) {
	b.t.Helper()
	count := func() int { return len(b.consume(b.prefix+witness, kgo.ReadUncommitted())) }
	ctx, cancel := context.WithTimeout(b.t.Context(), 3*time.Minute)
	defer cancel()
	put := 0
	for rounds, last := 0, 0; rounds < 3; b.pass(ctx, 500*time.Millisecond) {
		for _, topic := range []string{witness, "ledger"} {
			b.put(topic, &kgo.Record{Key: []byte("command/other"), Value: []byte(`{"service":"999"}`)})
		}
		put++
		now := count()
		if now < last {
			rounds++
		}
		last = now
	}
	b.t.Logf("%d records were put, %d are left", put, count())
	b.pass(ctx, 5*time.Second) // the others
}

// forgetProducers kills all brokers, removes what they keep of producers beside the logs, and starts them again.
func (b *bench) forgetProducers() {
	b.t.Helper()
	for n := 1; n <= 3; n++ {
		b.killed(n)
	}
	removed := 0
	for n := 1; n <= 3; n++ {
		files, err := filepath.Glob(filepath.Join(node(n), "data", b.prefix+"*", "*.snapshot"))
		if err != nil {
			b.t.Fatal(err)
		}
		for _, file := range files {
			if err := os.Remove(file); err != nil {
				b.t.Fatal(err)
			}
			removed++
		}
	}
	b.t.Logf("%d producer snapshots are removed", removed)
	for n := 1; n <= 3; n++ {
		b.started(n)
	}
	b.inSync()
	b.connected(func(ctx context.Context, client *kgo.Client) error {
		_, err := kadm.NewClient(client).ListTopics(ctx)
		return err
	})
}
