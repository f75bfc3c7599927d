package producer_test

import (
	"slices"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

func TestTakeOverFences(t *testing.T) {
	onEachKafka(t, 2, func(t *testing.T, l *log) {
		older := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
		l.mustPut(older, l.at(0), "a")
		newer := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
		if older.Identity().ID != newer.Identity().ID || older.Identity().Epoch >= newer.Identity().Epoch {
			t.Errorf("the second producer is %v, the first %v: want the same id and a higher epoch", newer.Identity(), older.Identity())
		}
		for p := range 2 { // the older one has not written to partition 1
			expectError(t, l.put(older, l.at(p), "never"), producer.ErrFenced)
		}
		<-older.Done()
		expectError(t, older.Err(), producer.ErrFenced)
		l.mustPut(newer, l.at(0), "b")
		l.mustPut(newer, l.at(1), "c")
		l.want(0, "a", "b")
		l.want(1, "c")
	})
}

func TestRenew(t *testing.T) {
	onEachKafka(t, 2, func(t *testing.T, l *log) {
		s := l.takeOver(producer.NoIdentity(), l.at(0))
		l.mustPut(s, l.at(0), "a")
		before := s.Identity()
		for range 2 {
			if err := s.Renew(l.soon(), l.partitions(2)); err != nil {
				t.Fatal(err)
			}
			l.mustPut(s, l.at(0), "b")
			l.mustPut(s, l.at(1), "c")
		}
		if after := s.Identity(); after.ID != before.ID || after.Epoch <= before.Epoch {
			t.Errorf("the identity is %v before a renewal and %v after it", before, after)
		}
		newer := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
		expectError(t, s.Renew(l.soon(), l.partitions(2)), producer.ErrFenced)
		expectError(t, s.Err(), producer.ErrFenced)
		l.mustPut(newer, l.at(0), "d")
		l.want(0, "a", "b", "b", "d")
		l.want(1, "c", "c")
	})
}

// TestRenewWithFewerPartitions: after a renewal without a partition, it can't be written.
func TestRenewWithFewerPartitions(t *testing.T) {
	l := newFakeLog(t, 2, nil)
	s := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
	l.mustPut(s, l.at(1), "a")
	if err := s.Renew(l.soon(), l.partitions(1)); err != nil {
		t.Fatal(err)
	}
	err := l.put(s, l.at(1), "never")
	expectError(t, err, producer.ErrRestore)
	expectError(t, err, producer.ErrNotOwned)
	l.want(1, "a")
}

func TestTakeOverWithOwnIdentity(t *testing.T) {
	onEachKafka(t, 1, func(t *testing.T, l *log) {
		first := l.takeOver(producer.NoIdentity(), l.at(0))
		first.Close()
		again := l.takeOver(first.Identity(), l.at(0))
		l.mustPut(again, l.at(0), "a")
		other := l.takeOver(producer.NoIdentity(), l.at(0))
		for _, from := range []producer.Identity{first.Identity(), again.Identity()} {
			_, err := l.fence.TakeOver(l.soon(), from, l.partitions(1))
			expectError(t, err, producer.ErrFenced)
		}
		l.mustPut(other, l.at(0), "b")
		l.want(0, "a", "b")
	})
}

// TestFailedRenewalKeepsIdentity: after a failed renewal the instance can take over again with its
// identity.
func TestFailedRenewalKeepsIdentity(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	l.mustPut(s, l.at(0), "a")
	l.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Topic: l.topic, Partitions: []int32{0}, Err: kerr.InvalidTxnState})
	expectError(t, s.Renew(l.soon(), l.partitions(1)), kafka.InvalidTransactionState)
	l.mustPut(l.takeOver(s.Identity(), l.at(0)), l.at(0), "b")
	l.want(0, "a", "b")
}

// TestRepeatedInit: an instance that repeats InitProducerId because the answer was lost gets
// the same epoch again (KIP-360), and is refused if another instance has taken over in
// between.
func TestRepeatedInit(t *testing.T) {
	onEachKafka(t, 1, func(t *testing.T, l *log) {
		if l.fake != nil {
			t.Skip("kfake bumps the epoch at each request")
		}
		ask := func(from producer.Identity) (producer.Identity, error) {
			answer, err := l.cluster.Client().InitProducerID(l.soon(), &kafka.InitProducerIDRequest{
				TransactionalID: l.fence.TransactionalID, TransactionTimeoutMs: 30000, ProducerID: int(from.ID), ProducerEpoch: int(from.Epoch)})
			if err != nil {
				t.Fatal(err)
			}
			return producer.Identity{ID: int64(answer.Producer.ProducerID), Epoch: int16(answer.Producer.ProducerEpoch)}, answer.Error
		}
		from := l.takeOver(producer.NoIdentity(), l.at(0)).Identity()
		first, err := ask(from)
		if err != nil {
			t.Fatal(err)
		}
		repeated, err := ask(from)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, repeated); diff != "" {
			t.Errorf("the repeated request returns another identity:\n%s", diff)
		}
		l.takeOver(producer.NoIdentity(), l.at(0))
		for _, stale := range []producer.Identity{from, first} {
			if got, err := ask(stale); !cluster.Fenced(err) {
				t.Errorf("InitProducerId for %v returns %v, %v after another instance took over", stale, got, err)
			}
		}
	})
}

// TestTakeOver_UnfencedPartition: if one partition can't be fenced, the others can be written.
func TestTakeOver_UnfencedPartition(t *testing.T) {
	missing := recordbatch.TopicPartition{Topic: "producer.missing", Partition: 0}
	tests := map[string]struct {
		extra  []recordbatch.TopicPartition
		faults []kfake.Fault // on partition 1
		owns   []bool        // of partitions 0 to 2
	}{
		"all is well":      {owns: []bool{true, true, true}},
		"a missing topic":  {extra: []recordbatch.TopicPartition{missing}, owns: []bool{true, true, true}},
		"a missing number": {extra: []recordbatch.TopicPartition{{Partition: 17}}, owns: []bool{true, true, true}},
		"no leader": {owns: []bool{true, false, true},
			faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Metadata}, Err: kerr.LeaderNotAvailable, Count: -1}}},
		"a leader without offsets": {owns: []bool{true, false, true},
			faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.ListOffsets}, Err: kerr.NotLeaderForPartition, Count: -1}}},
		"forbidden": {owns: []bool{true, false, true},
			faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Err: kerr.TopicAuthorizationFailed, Count: -1}}},
		"unknown to the coordinator": {owns: []bool{true, false, true},
			faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.AddPartitionsToTxn}, Err: kerr.UnknownTopicOrPartition, Count: -1}}},
		"a marker that can't be read": {owns: []bool{true, false, true},
			faults: []kfake.Fault{{Keys: []kmsg.Key{kmsg.Fetch}, Err: kerr.TopicAuthorizationFailed, Count: -1}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newMemoryLog(t, 3)
				var faults []*kfake.FaultHandle
				for _, f := range test.faults {
					f.Topic, f.Partitions = l.topic, []int32{1}
					faults = append(faults, l.fake.Fault(f))
				}
				for i := range test.extra {
					if test.extra[i].Topic == "" {
						test.extra[i].Topic = l.topic
					}
				}
				s := l.takeOver(producer.NoIdentity(), slices.Concat(test.extra, l.partitions(3))...)
				for _, f := range faults {
					f.Remove()
				}
				var owns []bool
				for p := range 3 {
					owns = append(owns, s.Fenced(l.at(p)))
				}
				if diff := cmp.Diff(test.owns, owns); diff != "" {
					t.Errorf("owns (-want +got):\n%s", diff)
				}
				for _, p := range test.extra {
					if s.Fenced(p) {
						t.Errorf("owns %v", p)
					}
				}
				l.mustPut(s, l.at(0), "a")
				l.mustPut(s, l.at(2), "b")
				l.want(0, "a")
				l.want(2, "b")
			})
		})
	}
}

// TestTakeOver_MissingMarker: the coordinator reports success without having written the
// marker of a partition, as Apache Kafka does if the partition has no leader: it is not owned
// until a renewal has written the marker.
func TestTakeOver_MissingMarker(t *testing.T) {
	l := newFakeLog(t, 2, nil)
	drop := true
	l.fake.ControlKey(int16(kmsg.AddPartitionsToTxn), func(r kmsg.Request) (kmsg.Response, error, bool) {
		l.fake.KeepControl()
		if drop {
			req := r.(*kmsg.AddPartitionsToTxnRequest)
			req.Topics[0].Partitions = slices.DeleteFunc(req.Topics[0].Partitions, func(p int32) bool { return p == 1 })
		}
		return nil, nil, false
	})
	s := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
	if !s.Fenced(l.at(0)) || s.Fenced(l.at(1)) {
		t.Errorf("owns partition 0: %v, partition 1, which has no marker: %v", s.Fenced(l.at(0)), s.Fenced(l.at(1)))
	}
	expectError(t, l.put(s, l.at(1), "never"), producer.ErrNotOwned)
	drop = false
	if err := s.Renew(l.soon(), l.partitions(2)); err != nil {
		t.Fatal(err)
	}
	l.mustPut(s, l.at(1), "a")
	l.want(1, "a")
}
