package cluster_test

import (
	"testing"

	"dfinery-kafka/pipeline/cluster"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestOffsets(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		name := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 3, ReplicationFactor: 1})
		produce(t, brokers, nil,
			&kgo.Record{Topic: name, Partition: 0}, &kgo.Record{Topic: name, Partition: 0}, &kgo.Record{Topic: name, Partition: 2})
		at := func(partition int) cluster.TopicPartition {
			return cluster.TopicPartition{Topic: name, Partition: partition}
		}
		nowhere := cluster.TopicPartition{Topic: "nowhere." + name}
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
