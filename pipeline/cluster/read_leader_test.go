package cluster_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

func TestReadFollowsTheLeader(t *testing.T) {
	fake := embedded(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "events"))
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
	records, want := sample("events", 90)
	for i := 0; i < 90; i += 10 {
		produce(t, fake.ListenAddrs(), nil, records[i:i+10]...)
	}
	var got []copied
	visitor := collect(&got)
	collectOne := visitor.Record
	visitor.Record = func(r *recordbatch.Record) error {
		if r.Offset%10 == 0 {
			if err := fake.MoveTopicPartition("events", 0, (fake.LeaderFor("events", 0)+1)%3); err != nil {
				return err
			}
		}
		return collectOne(r)
	}
	if err := c.Read(soon(t, 5*time.Second), recordbatch.TopicPartition{Topic: "events"}, 0, 90, visitor); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestReadAtTheSeenLeader: a read after a look at the offsets does not ask for the leader again,
// and finds the new one if it has moved since.
func TestReadAtTheSeenLeader(t *testing.T) {
	fake := embedded(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "events"))
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
	records, want := sample("events", 20)
	produce(t, fake.ListenAddrs(), nil, records...)
	at := recordbatch.TopicPartition{Topic: "events"}
	var asked atomic.Int32
	fake.ControlKey(int16(kmsg.Metadata), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if len(r.(*kmsg.MetadataRequest).Topics) == 1 { // kafka-go itself asks for all
			asked.Add(1)
		}
		return nil, nil, false
	})
	for move, times := range []int32{1, 2} {
		asked.Store(0)
		log, err := c.Log(t.Context(), at)
		if err != nil {
			t.Fatal(err)
		}
		if move == 1 {
			if err := fake.MoveTopicPartition("events", 0, (fake.LeaderFor("events", 0)+1)%3); err != nil {
				t.Fatal(err)
			}
		}
		var got []copied
		if err := c.Read(soon(t, 5*time.Second), at, 0, log.End, collect(&got)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if n := asked.Load(); n != times {
			t.Errorf("asked %d times for the leader, want %d", n, times)
		}
	}
}

func TestReadEnds(t *testing.T) {
	fake := embedded(t, kfake.SeedTopics(1, "events"))
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
	records, _ := sample("events", 10)
	produce(t, fake.ListenAddrs(), nil, records...)
	t.Run("with the visitor's error", func(t *testing.T) {
		enough := errors.New("enough")
		var last int64
		err := c.Read(t.Context(), recordbatch.TopicPartition{Topic: "events"}, 0, 10, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
			if last = r.Offset; last == 3 {
				return enough
			}
			return nil
		}})
		if err != enough || last != 3 {
			t.Errorf("ended at %d with %v", last, err)
		}
	})
	t.Run("with the context, a missing topic", func(t *testing.T) {
		err := c.Read(soon(t, time.Second), recordbatch.TopicPartition{Topic: "nowhere"}, 0, 1, recordbatch.Visitor{})
		if !cluster.Missing(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}

// Brokers from the first one with record headers on are spoken to in their own versions of the
// protocol.
func TestReadFromOlderBrokers(t *testing.T) {
	for name, versions := range map[string]*kversion.Versions{
		"0.11": kversion.V0_11_0(), "1.1": kversion.V1_1_0(), "2.0": kversion.V2_0_0(), "2.3": kversion.V2_3_0(), "3.0": kversion.V3_0_0(),
	} {
		t.Run(name, func(t *testing.T) {
			fake := embedded(t, kfake.MaxVersions(versions), kfake.SeedTopics(1, "events"))
			c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
			records, want := sample("events", 20)
			produce(t, fake.ListenAddrs(), nil, records...)
			ranges, err := c.Offsets(t.Context(), recordbatch.TopicPartition{Topic: "events"})
			if err != nil || ranges[0].Err != nil {
				t.Fatal(err, ranges)
			}
			var got []copied
			if err := c.Read(soon(t, 5*time.Second), recordbatch.TopicPartition{Topic: "events"}, 0, ranges[0].End, collect(&got)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
