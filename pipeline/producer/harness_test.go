package producer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// log is a topic on a Kafka, and the fence that all instances of a test share.
type log struct {
	t       *testing.T
	fake    *kfake.Cluster // nil: a real Kafka
	dial    dial
	cluster *cluster.Cluster
	admin   *kadm.Client
	topic   string
	fence   *producer.Fence
}

// dial connects to a broker; nil is a net.Dialer's.
type dial func(ctx context.Context, network, address string) (net.Conn, error)

func embedded(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	fake, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	clustertest.RefuseOldEpochs(fake)
	return fake
}

// newLog creates a topic.
func newLog(t *testing.T, brokers []string, partitions int, configs map[string]string) *log {
	t.Helper()
	return dialLog(t, nil, brokers, partitions, configs)
}

func dialLog(t *testing.T, dial dial, brokers []string, partitions int, configs map[string]string) *log {
	t.Helper()
	topic := fmt.Sprintf("producer.%08x", rand.Uint32())
	kafka, err := cluster.New(cluster.Config{Brokers: brokers, Topics: []string{topic}, Dial: dial})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	client, err := kgo.NewClient(seeds(brokers, dial)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	codec, err := recordbatch.NewCodec("snappy")
	if err != nil {
		t.Fatal(err)
	}
	l := &log{t: t, dial: dial, cluster: kafka, topic: topic, admin: kadm.NewClient(client),
		fence: &producer.Fence{Cluster: kafka, TransactionalID: topic + ".id", Codec: codec, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}}
	if _, err := kafka.EnsureTopics(l.soon(), true, cluster.TopicSpec{Name: topic, Partitions: partitions, ReplicationFactor: -1, Configs: configs}); err != nil {
		t.Fatal(err)
	}
	return l
}

func newFakeLog(t *testing.T, partitions int, configs map[string]string) *log {
	t.Helper()
	fake := embedded(t)
	l := newLog(t, fake.ListenAddrs(), partitions, configs)
	l.fake = fake
	return l
}

// newMemoryLog is newFakeLog for a synctest bubble.
func newMemoryLog(t *testing.T, partitions int) *log {
	t.Helper()
	network := new(clustertest.Network)
	fake := embedded(t, kfake.ListenFn(network.Listen))
	l := dialLog(t, network.Dial, fake.ListenAddrs(), partitions, nil)
	l.fake = fake
	return l
}

// onEachKafka runs test against an embedded Kafka and against the real one that
// KAFKA_TEST_BROKERS names.
func onEachKafka(t *testing.T, partitions int, test func(t *testing.T, l *log)) {
	t.Helper()
	t.Run("embedded", func(t *testing.T) { test(t, newFakeLog(t, partitions, nil)) })
	t.Run("real", func(t *testing.T) {
		brokers := os.Getenv("KAFKA_TEST_BROKERS")
		if brokers == "" {
			t.Skip("KAFKA_TEST_BROKERS is not set: no real Kafka to test with")
		}
		l := newLog(t, strings.Split(brokers, ","), partitions, nil)
		t.Cleanup(func() { _, _ = l.admin.DeleteTopics(context.Background(), l.topic) })
		test(t, l)
	})
}

// soon returns a context for calls that must not hang.
func (l *log) soon() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	l.t.Cleanup(cancel)
	return ctx
}

func (l *log) at(partition int) recordbatch.TopicPartition {
	return recordbatch.TopicPartition{Topic: l.topic, Partition: partition}
}

func (l *log) partitions(n int) []recordbatch.TopicPartition {
	all := make([]recordbatch.TopicPartition, n)
	for i := range all {
		all[i] = l.at(i)
	}
	return all
}

func (l *log) takeOver(from producer.Identity, partitions ...recordbatch.TopicPartition) *producer.Session {
	l.t.Helper()
	s, err := l.fence.TakeOver(l.soon(), from, partitions)
	if err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(s.Close)
	return s
}

// put appends records with these values and flushes their partition.
func (l *log) put(s *producer.Session, at recordbatch.TopicPartition, values ...string) error {
	l.t.Helper()
	sender, err := s.Sender(at)
	if err != nil {
		return err
	}
	for _, v := range values {
		if err := appendEntry(sender, v); err != nil {
			return err
		}
	}
	return s.Flush(l.soon(), sender)
}

func (l *log) mustPut(s *producer.Session, at recordbatch.TopicPartition, values ...string) {
	l.t.Helper()
	if err := l.put(s, at, values...); err != nil {
		l.t.Fatal(err)
	}
}

// appendEntry appends a record whose first header is derived from its value.
func appendEntry(sender *producer.Sender, value string) error {
	return sender.Append([]byte("k"), recordbatch.Bytes(value), []recordbatch.Header{{Key: []byte("id"), Value: []byte("id " + value)}})
}

// values reads a partition with franz-go and returns the values of its records.
func (l *log) values(partition int) []string {
	l.t.Helper()
	ends, err := l.admin.ListEndOffsets(l.soon(), l.topic)
	if err != nil {
		l.t.Fatal(err)
	}
	end, _ := ends.Lookup(l.topic, int32(partition))
	if end.Err != nil {
		l.t.Fatal(end.Err)
	}
	client, err := kgo.NewClient(append(l.seeds(), kgo.KeepControlRecords(), kgo.FetchMaxWait(50*time.Millisecond),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{l.topic: {int32(partition): kgo.NewOffset().AtStart()}}))...)
	if err != nil {
		l.t.Fatal(err)
	}
	defer client.Close()
	var all []string
	for next, ctx := int64(0), l.soon(); next < end.Offset; {
		fetched := client.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			l.t.Fatal(err)
		}
		fetched.EachRecord(func(r *kgo.Record) {
			next = r.Offset + 1
			if !r.Attrs.IsControl() {
				all = append(all, string(r.Value))
			}
		})
	}
	return all
}

func (l *log) seeds() []kgo.Opt { return seeds(strings.Split(l.cluster.Bootstrap(), ","), l.dial) }

func seeds(brokers []string, dial dial) []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(brokers...)}
	if dial != nil {
		opts = append(opts, kgo.Dialer(dial))
	}
	return opts
}

func (l *log) want(partition int, want ...string) {
	l.t.Helper()
	if diff := cmp.Diff(want, l.values(partition)); diff != "" {
		l.t.Errorf("partition %d (-want +got):\n%s", partition, diff)
	}
}

func expectError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error %v, want %v", err, want)
	}
}

// expectNoSenders fails the test if a goroutine of a sender is still running.
func expectNoSenders(t *testing.T) {
	t.Helper()
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	if strings.Contains(string(stacks), "producer.(*Sender)") {
		t.Errorf("a sender is still running:\n%s", stacks)
	}
}

// numbered returns n values of size bytes that compress badly.
func numbered(n, size int) []string {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	values := make([]string, n)
	for i := range values {
		b := make([]byte, size)
		for j := range b {
			b[j] = byte(rng.Uint32())
		}
		values[i] = fmt.Sprintf("%06d %x", i, b)
	}
	return values
}
