package cluster_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

func TestOffsets(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		name := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 3, ReplicationFactor: 1})
		produce(t, brokers, nil,
			&kgo.Record{Topic: name, Partition: 0}, &kgo.Record{Topic: name, Partition: 0}, &kgo.Record{Topic: name, Partition: 2})
		at := func(partition int) recordbatch.TopicPartition {
			return recordbatch.TopicPartition{Topic: name, Partition: partition}
		}
		nowhere := recordbatch.TopicPartition{Topic: "nowhere." + name}
		ranges, err := c.Offsets(t.Context(), at(2), nowhere, at(0), at(3), at(1))
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []int{1, 3} {
			if !cluster.Missing(ranges[i].Err) {
				t.Errorf("%v: %v", ranges[i].Partition, ranges[i].Err)
			}
			ranges[i].Err = nil
		}
		want := []cluster.LogRange{{Partition: at(2), End: 1}, {Partition: nowhere}, {Partition: at(0), End: 2}, {Partition: at(3)}, {Partition: at(1)}}
		if diff := cmp.Diff(want, ranges); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOffsetsSince: a range starts at the first record with at least the requested time, and is
// empty if there is none.
func TestOffsetsSince(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		name := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 3, ReplicationFactor: 1, Configs: map[string]string{"message.timestamp.type": "CreateTime"}})
		first := time.Now().Add(-time.Hour).Truncate(time.Second)
		after := func(minutes int) time.Time { return first.Add(time.Duration(minutes) * time.Minute) }
		for minutes := range 10 { // each in its own batch: the embedded broker ignores times within a batch
			produce(t, brokers, nil, &kgo.Record{Topic: name, Partition: 0, Timestamp: after(minutes)})
		}
		produce(t, brokers, nil, &kgo.Record{Topic: name, Partition: 1, Timestamp: after(0)})
		at := func(partition int) recordbatch.TopicPartition {
			return recordbatch.TopicPartition{Topic: name, Partition: partition}
		}
		for since, starts := range map[time.Time][3]int64{
			{}: {0, 0, 0}, after(0): {0, 0, 0}, after(4): {4, 1, 0}, after(4).Add(time.Millisecond): {5, 1, 0}, after(10): {10, 1, 0},
		} {
			got, err := c.OffsetsSince(t.Context(), since, at(0), at(1), at(2))
			if err != nil {
				t.Fatal(err)
			}
			want := []cluster.LogRange{
				{Partition: at(0), Start: starts[0], End: 10}, {Partition: at(1), Start: starts[1], End: 1}, {Partition: at(2), Start: starts[2]},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("since %s (-want +got):\n%s", since, diff)
			}
		}
	})
}
