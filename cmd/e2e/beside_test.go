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
	"dfinery-kafka/pipeline/cluster/clustertest"
)

// TestChangeBesideStuckPartition: a tenure ends for a change of topics while an export waits for room in a partition that takes nothing. The
// next one begins all the same.
func TestChangeBesideStuckPartition(t *testing.T) {
	t.Parallel()
	fake := embedded(t, kfake.NumBrokers(1))
	clustertest.RefuseOldEpochs(fake)
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 24, RowsPerDay: 20_000}})
	b.unbounded()
	b.brokers = strings.Join(fake.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"], b.environ["KAFKA_PARTITIONS"], b.environ["CHECKPOINT_INTERVAL"] = b.brokers, "1", "1h"
	var mended atomic.Bool
	var refused atomic.Int32
	fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: b.prefix + "events", Err: kerr.NotEnoughReplicas, Count: -1, When: func(kmsg.Request) bool {
		refused.Add(1)
		return !mended.Load()
	}})
	p := b.start(binary, nil, "run")
	p.await(isOwner)
	for refused.Load() < 5 { // by now the downloads wait for room
		p.alive()
		time.Sleep(20 * time.Millisecond)
	}
	b.alter("events", "max.message.bytes", "2000000")
	p.await("the topics have changed")
	p.awaitMore(isOwner, 1)
	p.kill()
	mended.Store(true)
	b.settle()
}
