package pipeline

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// testbed is a service with the streams events and users (MODE=changes) on an embedded Kafka
// with an in-memory network. It is used in a synctest bubble.
type testbed struct {
	Config
	t      *testing.T
	fake   *kfake.Cluster
	net    clustertest.Network
	admin  *kadm.Client
	logged bytes.Buffer
	steps  []string
	taken  *ownership // the last one
}

func newTestbed(t *testing.T) *testbed {
	t.Helper()
	b := &testbed{t: t}
	var err error
	b.fake, err = kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(b.net.Listen))
	b.must(err)
	t.Cleanup(b.fake.Close)
	clustertest.RefuseOldEpochs(b.fake)
	k, err := cluster.New(cluster.Config{Brokers: b.fake.ListenAddrs(), Dial: b.net.Dial})
	b.must(err)
	t.Cleanup(k.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(b.fake.ListenAddrs()...), kgo.Dialer(b.net.Dial))
	b.must(err)
	t.Cleanup(client.Close)
	b.admin = kadm.NewClient(client)
	codec, err := recordbatch.NewCodec("none")
	b.must(err)
	stream := func(name string, kind schema.Kind, changes bool) transfer.Stream {
		return transfer.Stream{
			StreamConfig: schedule.StreamConfig{Name: name, Topic: name, Kind: kind, Changes: changes, Key: "id", Poll: time.Minute, LookbackInterval: time.Hour},
			MaxBad:       1,
		}
	}
	b.Config = Config{
		ID: "1234", Location: planned, Cluster: k, Codec: codec, Streams: []transfer.Stream{stream("events", schema.Event, false), stream("users", schema.UserProfile, true)},
		LedgerTopic: "ledger", DeadLetterTopic: "dead", CreateTopics: true, Partitions: 1, Replicas: 1,
		OwnerHeartbeat: 10 * time.Second, StandbyAfter: 30 * time.Second, RetryMaxBackoff: time.Minute, ConcurrentCalls: 1, CallsPerHour: 100,
		Instance: "A", Host: "host", Version: "test", Log: slog.New(slog.NewTextHandler(&b.logged, nil)), Step: func(name string) { b.steps = append(b.steps, name) },
	}
	return b
}

func (b *testbed) must(err error) {
	if err != nil {
		b.t.Helper()
		b.t.Fatal(err)
	}
}

// takeOver takes over the service and returns an owner whose loop is not started. It can only
// write to the ledger.
func (b *testbed) takeOver() *owner {
	b.t.Helper()
	c := newTopicCreator(&b.Config)
	v := &view{service: b.ID, streams: b.Streams}
	taken, err := newTakeover(&b.Config, v, c, newStandby(&b.Config, v)).take(b.t.Context())
	b.must(err)
	b.t.Cleanup(taken.session.Close)
	b.taken = taken
	o := newOwner(&b.Config, v, taken, c, newTopicHistory(2*b.OwnerHeartbeat, b.RetryMaxBackoff))
	o.writer.State, err = o.session.Sender(o.partitions.state)
	b.must(err)
	o.writer.Rows, err = o.session.Sender(o.partitions.rows)
	b.must(err)
	return o
}

// serve executes the calls of exports, as the owner's loop does, until the test ends.
func (b *testbed) serve(o *owner) {
	ctx, stop := context.WithCancel(b.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ctx.Done():
				return
			case c := <-o.calls:
				_ = c.run(ctx)
			}
		}
	}()
	b.t.Cleanup(func() {
		stop()
		<-done
	})
}

// load reads the ledger.
func (b *testbed) load() *ledger.State {
	b.t.Helper()
	state, err := b.Ledger().Load(b.t.Context())
	b.must(err)
	return state
}

// end returns the end offset of a topic's partition 0.
func (b *testbed) end(topic string) int64 {
	b.t.Helper()
	log, err := b.Cluster.Log(b.t.Context(), recordbatch.TopicPartition{Topic: topic})
	b.must(err)
	return log.End
}

// expectLogged checks how often the log contains a text.
func (b *testbed) expectLogged(times int, text string) {
	b.t.Helper()
	if n := strings.Count(b.logged.String(), text); n != times {
		b.t.Errorf("the log contains %d times, want %d, %q:\n%s", n, times, text, b.logged.String())
	}
}

// expectChanged checks that err is errChanged and describes the change.
func expectChanged(t *testing.T, err error, how string) {
	t.Helper()
	if !errors.Is(err, errChanged) || !strings.Contains(err.Error(), how) {
		t.Errorf("error %v, want %v: %s", err, errChanged, how)
	}
}
