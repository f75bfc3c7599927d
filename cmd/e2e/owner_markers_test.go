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

	"dfinery-kafka/pipeline/recordbatch"
)

// TestFence_MarkersOutliveCompaction stops an owner with SIGSTOP, lets another instance take over,
// waits for the log cleaner, and removes the producer snapshots of all brokers, so that they
// rebuild the state of producers from their logs. Then it continues the old owner: the brokers
// must refuse its writes. The new owner either keeps running, or is killed right after the
// takeover, so that only the marker fences the old one. Without the compaction lag the old one
// may write; that is only logged.
func TestFence_MarkersOutliveCompaction(t *testing.T) {
	tests := map[string]struct {
		dies, lag bool
	}{
		"a living owner":                     {dies: false, lag: true},
		"an owner that died after its fence": {dies: true, lag: true},
		"without the lag":                    {dies: true, lag: false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := newThreeBrokers(t, 74)
			eager := map[string]string{"cleanup.policy": "compact", "segment.ms": "1000", "min.cleanable.dirty.ratio": "0.001", "delete.retention.ms": "0"}
			b.createTopic("ledger", 1, eager)
			b.createTopic("witness", 1, eager)
			b.set("OWNER_HEARTBEAT", "1s", "STANDBY_AFTER", "5m")
			old := b.start("run")
			old.awaitMore(exported, 2)
			old.signal(syscall.SIGSTOP)
			var taker *process
			if test.dies {
				taker = b.startToCrash("fenced", 1, "run")
				<-taker.done
			} else {
				taker = b.start("run")
				taker.awaitMore(exported, 1)
			}
			lag := "min.compaction.lag.ms"
			if got := b.configs("ledger")[lag]; got != oneDay {
				t.Fatalf("the ledger has %s=%s", lag, got)
			}
			if !test.lag {
				b.setTopicConfig("ledger", lag, "0")
			}
			fenced := b.fencedAt()
			b.compact("witness")
			b.forgetProducers()
			old.signal(syscall.SIGCONT)
			old.await(isStandby)
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
				b.finish()
			}
		})
	}
}

// fencedAt returns the last marker in the ledger's log.
func (b *testbed) fencedAt() (last recordbatch.Marker) {
	b.t.Helper()
	b.readLedger(recordbatch.Visitor{Marker: func(m recordbatch.Marker) error {
		last = m
		return nil
	}})
	return last
}

// writtenBefore returns a record of the ledger after the marker that has an older epoch of the
// same producer; "" if there is none.
func (b *testbed) writtenBefore(m recordbatch.Marker) (found string) {
	b.t.Helper()
	b.readLedger(recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
		if r.Offset > m.Offset && r.ProducerID == m.ProducerID && r.ProducerEpoch < m.ProducerEpoch {
			found = fmt.Sprintf("%s at offset %d, epoch %d, the marker at %d has %d", r.Key, r.Offset, r.ProducerEpoch, m.Offset, m.ProducerEpoch)
		}
		return nil
	}})
	return found
}

func (b *testbed) readLedger(v recordbatch.Visitor) {
	b.t.Helper()
	l, state := b.loadLedger()
	at := recordbatch.TopicPartition{Topic: l.Topic}
	log, err := l.Cluster.Log(b.t.Context(), at)
	if err == nil {
		err = l.Cluster.Read(b.t.Context(), at, log.Start, max(log.End, state.End), v)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// compact writes to the ledger and to a second topic, witness, which is compacted without a lag,
// until the cleaner has compacted that topic twice on the leader and on the followers. It has
// then also processed the ledger.
func (b *testbed) compact(witness string) {
	b.t.Helper()
	count := func() int { return len(b.consume(witness, kgo.ReadUncommitted())) }
	put, deadline := 0, time.Now().Add(3*time.Minute)
	for rounds, last := 0, 0; rounds < 3; b.sleep(500 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s is not compacted within three minutes", witness)
		}
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
	b.t.Logf("%d records were written, %d are left", put, count())
	b.sleep(5 * time.Second) // the followers
}

// forgetProducers kills all brokers, removes the producer snapshots beside their logs, and
// starts them again.
func (b *testbed) forgetProducers() {
	b.t.Helper()
	for n := 1; n <= 3; n++ {
		b.killBroker(n)
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
		b.startBroker(n)
	}
	b.awaitInSync()
	b.withClient(func(ctx context.Context, client *kgo.Client) error {
		_, err := kadm.NewClient(client).ListTopics(ctx)
		return err
	})
}
