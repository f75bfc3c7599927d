package e2e

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// TestStumbleWhileRestoring: an owner whose session ended, and whose next start fails after its take-over, is the owner still.
func TestStumbleWhileRestoring(t *testing.T) {
	t.Parallel()
	fake := embedded(t, kfake.NumBrokers(1))
	clustertest.RefuseOldEpochs(fake)
	b := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 62, RowsPerDay: 2000}})
	b.brokers = strings.Join(fake.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"] = b.brokers
	var ended, again atomic.Bool // the first session has ended; the next take-over has begun
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
	out := b.once(0)
	if n := strings.Count(out, "starting over"); n != 2 {
		t.Errorf("started over %d times, want 2:\n%s", n, out)
	}
	compare(t, b.served(schema.Event), b.published("events"))
	b.balanced()
}
