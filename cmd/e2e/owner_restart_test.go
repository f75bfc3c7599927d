package e2e

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

// TestOwner_FailureDuringRecovery ends an owner's session and makes its next start fail after the
// takeover: the instance remains the owner and recovers.
func TestOwner_FailureDuringRecovery(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, &exporttest.Server{Data: exporttest.Data{Seed: 62, RowsPerDay: 500}})
	var ended, again atomic.Bool // ended: the first session has ended; again: the next takeover has begun
	fake.ControlKey(int16(kmsg.InitProducerID), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		again.Store(ended.Load())
		return nil, nil, false
	})
	fake.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: b.prefix + "events", Err: kerr.OutOfOrderSequenceNumber,
			When: func(kmsg.Request) bool { ended.Store(true); return true }},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: b.prefix + "ledger", Err: kerr.OutOfOrderSequenceNumber,
			When: func(kmsg.Request) bool { return again.Load() }},
	)
	out := b.runOnce(0)
	if n := strings.Count(out, "taking the service over again"); n != 2 {
		t.Errorf("restarted %d times, want 2:\n%s", n, out)
	}
	b.compareEvents()
	b.checkLedger()
}

// TestOwner_TopicChangeWithStuckPartition changes a topic's configuration, which restarts the
// owner, while an export waits for space in the buffer of a partition that accepts no records.
// The owner restarts.
func TestOwner_TopicChangeWithStuckPartition(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 24, RowsPerDay: 8000}})
	b.unlimited()
	b.set("KAFKA_PARTITIONS", "1", "CHECKPOINT_INTERVAL", "1h")
	var repaired atomic.Bool
	var refused atomic.Int32
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: b.prefix + "events", Err: kerr.NotEnoughReplicas, Count: -1, When: func(kmsg.Request) bool {
		refused.Add(1)
		return !repaired.Load()
	}})
	p := b.start("run")
	p.await(isOwner)
	for refused.Load() < 5 { // until the downloads wait for space in the buffer
		p.expectAlive()
		time.Sleep(20 * time.Millisecond)
	}
	b.setTopicConfig("events", "max.message.bytes", "2000000")
	p.await("the topics have changed")
	p.awaitMore(isOwner, 1)
	p.kill()
	repaired.Store(true)
	b.finish()
}
