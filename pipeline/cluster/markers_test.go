package cluster_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

func TestReadMarkers(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		topic := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 1, ReplicationFactor: 1})
		client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.TransactionalID(topic), kgo.DefaultProduceTopic(topic))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		for _, try := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort} {
			err := errors.Join(client.BeginTransaction(),
				client.ProduceSync(t.Context(), kgo.StringRecord(fmt.Sprint(try))).FirstErr(),
				client.EndTransaction(t.Context(), try))
			if err != nil {
				t.Fatal(err)
			}
		}
		partition := recordbatch.TopicPartition{Topic: topic}
		ranges := awaitEnd(t, c, partition, 4)
		values, markers := map[int64]string{}, []recordbatch.Marker(nil)
		err = c.Read(t.Context(), partition, 0, ranges.End, recordbatch.Visitor{
			Record: func(r *recordbatch.Record) error { values[r.Offset] = string(r.Value); return nil },
			Marker: func(m recordbatch.Marker) error { markers = append(markers, m); return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[int64]string{0: "true", 2: "false"}, values); diff != "" {
			t.Error(diff)
		}
		id, _, err := client.ProducerID(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(markers) != 2 {
			t.Fatalf("markers: %+v", markers)
		}
		for i := range markers {
			if time.Since(markers[i].Time).Abs() > time.Minute {
				t.Errorf("marker of %s", markers[i].Time)
			}
			markers[i].Time = time.Time{}
		}
		want := []recordbatch.Marker{
			{Offset: 1, ProducerID: id, ProducerEpoch: markers[0].ProducerEpoch, Commit: true},
			{Offset: 3, ProducerID: id, ProducerEpoch: markers[1].ProducerEpoch},
		}
		if diff := cmp.Diff(want, markers); diff != "" {
			t.Error(diff)
		}
		// The end of the log has only a marker: Read must end without a record.
		if err := c.Read(soon(t, 5*time.Second), partition, 3, 4, recordbatch.Visitor{}); err != nil {
			t.Error(err)
		}
	})
}

// awaitEnd waits until a log has its expected end: markers are written after the answer to EndTxn.
func awaitEnd(t *testing.T, c *cluster.Cluster, p recordbatch.TopicPartition, end int64) cluster.LogRange {
	t.Helper()
	for ctx := soon(t, 5*time.Second); ; {
		ranges, err := c.Offsets(ctx, p)
		if err != nil || ranges[0].Err != nil {
			t.Fatal(err, ranges)
		}
		if ranges[0].End >= end {
			return ranges[0]
		}
	}
}
