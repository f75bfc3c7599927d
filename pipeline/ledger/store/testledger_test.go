package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// testLedger is the ledger of service 1234 on an embedded Kafka.
type testLedger struct {
	*store.Ledger
	t       testing.TB
	fake    *kfake.Cluster
	client  *kgo.Client
	session *producer.Session
}

func newTestLedger(t testing.TB, partitions int) *testLedger {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	topic := fmt.Sprintf("ledger%08x", rand.Uint32())
	kafka, err := cluster.New(cluster.Config{Brokers: fake.ListenAddrs(), Topics: []string{topic, topic + ".rows"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	client, err := kgo.NewClient(kgo.SeedBrokers(fake.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	s := &testLedger{Ledger: &store.Ledger{Cluster: kafka, Topic: topic, Rows: topic + ".rows", Service: "1234"}, t: t, fake: fake, client: client}
	if _, err := kafka.EnsureTopics(s.soon(), true, s.Specs(partitions, 1)...); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *testLedger) soon() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	s.t.Cleanup(cancel)
	return ctx
}

// put writes a record with franz-go; without a value it is a tombstone.
func (s *testLedger) put(partition int, key, value string) {
	s.t.Helper()
	record := &kgo.Record{Topic: s.Topic, Partition: int32(partition), Key: []byte(key)}
	if value != "" {
		record.Value = []byte(value)
	}
	if err := s.client.ProduceSync(s.soon(), record).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
}

// alter configures a topic.
func (s *testLedger) alter(topic string, configs map[string]string) {
	s.t.Helper()
	var changes []kadm.AlterConfig
	for name, value := range configs {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: name, Value: &value})
	}
	answers, err := kadm.NewClient(s.client).AlterTopicConfigs(s.soon(), changes, topic)
	if err == nil {
		err = answers[0].Err
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// writer returns a writer to the partitions of the service's records.
func (s *testLedger) writer(partition int) *store.Writer {
	s.t.Helper()
	state, rows := recordbatch.TopicPartition{Topic: s.Topic, Partition: partition}, recordbatch.TopicPartition{Topic: s.Rows, Partition: partition}
	codec, err := recordbatch.NewCodec("snappy")
	if err != nil {
		s.t.Fatal(err)
	}
	fence := &producer.Fence{Cluster: s.Cluster, TransactionalID: s.Topic, Codec: codec}
	if s.session, err = fence.TakeOver(s.soon(), producer.NoIdentity(), []recordbatch.TopicPartition{state, rows}); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(s.session.Close)
	w := &store.Writer{Ledger: s.Ledger}
	if w.State, err = s.session.Sender(state); err != nil {
		s.t.Fatal(err)
	}
	if w.Rows, err = s.session.Sender(rows); err != nil {
		s.t.Fatal(err)
	}
	return w
}

func (s *testLedger) flush() {
	s.t.Helper()
	if err := s.session.Flush(s.soon()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *testLedger) load() *ledger.State {
	s.t.Helper()
	state, err := s.Load(s.soon())
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}
