package cluster_test

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

// batchOf encodes a batch from base to last with values at some of the offsets, as after
// compaction.
func batchOf(base, last int64, attributes int16, values map[int64]string) []byte {
	b := kmsg.RecordBatch{FirstOffset: base, Magic: 2, Attributes: attributes, LastOffsetDelta: int32(last - base),
		FirstTimestamp: 1000, MaxTimestamp: 2000, ProducerID: 7, ProducerEpoch: 3, NumRecords: int32(len(values))}
	for offset := base; offset <= last; offset++ {
		value, ok := values[offset]
		if !ok {
			continue
		}
		record := kmsg.Record{OffsetDelta: int32(offset - base), Value: []byte(value)}
		record.Length = int32(len(record.AppendTo(nil)) - 1) // without the length itself, which is one byte for small records
		b.Records = record.AppendTo(b.Records)
	}
	raw := b.AppendTo(nil)
	b.Length = int32(len(raw) - 12)
	b.CRC = int32(crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return b.AppendTo(nil)
}

// answering replaces the batches in the answers of fake to fetches, by their offset.
func answering(fake *kfake.Cluster, highWatermark int64, answers map[int64][]byte) {
	fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		asked := req.(*kmsg.FetchRequest).Topics[0]
		res := req.ResponseKind().(*kmsg.FetchResponse)
		partition := kmsg.NewFetchResponseTopicPartition()
		partition.HighWatermark = highWatermark
		partition.RecordBatches = answers[asked.Partitions[0].FetchOffset]
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.Partitions = asked.Topic, append(topic.Partitions, partition)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
}

// TestReadBatches reads batches with gaps, in all compressions, and invalid ones.
func TestReadBatches(t *testing.T) {
	const logAppendTime = 1 << 3
	damaged := batchOf(0, 1, 0, map[int64]string{0: "a", 1: "b"})
	damaged[len(damaged)-1]++
	oldFormat := binary.BigEndian.AppendUint64(nil, 0)
	oldFormat = binary.BigEndian.AppendUint32(oldFormat, 14)
	oldFormat = append(oldFormat, make([]byte, 14)...)
	for name, test := range map[string]struct {
		answers map[int64][]byte // by the requested offset
		want    map[int64]string // of the offsets 0 to 10
		holes   [][2]int64
		fails   string
	}{
		"records removed at the end of a batch": {
			answers: map[int64][]byte{0: batchOf(0, 6, 0, map[int64]string{1: "b"}), 7: batchOf(7, 9, 0, map[int64]string{9: "j"})},
			want:    map[int64]string{1: "b", 9: "j"},
			holes:   [][2]int64{{0, 1}, {2, 9}},
		},
		"all records of a batch removed": {
			answers: map[int64][]byte{0: append(batchOf(0, 4, 0, nil), batchOf(5, 9, 0, map[int64]string{5: "f"})...)},
			want:    map[int64]string{5: "f"},
			holes:   [][2]int64{{0, 5}, {6, 10}},
		},
		"nothing left up to the high watermark": {
			answers: map[int64][]byte{0: batchOf(0, 2, 0, map[int64]string{0: "a"})},
			want:    map[int64]string{0: "a"},
			holes:   [][2]int64{{1, 10}},
		},
		"a batch cut short by the answer's limit": {
			answers: map[int64][]byte{
				0: append(batchOf(0, 4, 0, map[int64]string{4: "e"}), batchOf(5, 9, 0, map[int64]string{5: "f"})[:40]...),
				5: batchOf(5, 9, 0, map[int64]string{5: "f"}),
			},
			want:  map[int64]string{4: "e", 5: "f"},
			holes: [][2]int64{{0, 4}, {6, 10}},
		},
		"the broker's time": {
			answers: map[int64][]byte{0: batchOf(0, 9, logAppendTime, map[int64]string{3: "d"})},
			want:    map[int64]string{3: "d at 2s"},
			holes:   [][2]int64{{0, 3}, {4, 10}},
		},
		"a message of an old format": {
			answers: map[int64][]byte{0: append(oldFormat, batchOf(1, 9, 0, map[int64]string{1: "b"})...)},
			want:    map[int64]string{1: "b"},
			holes:   [][2]int64{{0, 1}, {2, 10}},
		},
		"a damaged batch":       {answers: map[int64][]byte{0: damaged}, fails: "corrupt"},
		"less than a batch":     {answers: map[int64][]byte{0: batchOf(0, 9, 0, nil)[:30]}, fails: "cut short"},
		"earlier offsets alone": {answers: map[int64][]byte{0: batchOf(0, 3, 0, nil), 4: batchOf(0, 3, 0, nil)}, fails: "earlier offsets"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := embedded(t)
			if err := fake.CreateTopic("events", 1, map[string]string{"cleanup.policy": "compact"}); err != nil {
				t.Fatal(err)
			}
			answering(fake, 10, test.answers)
			c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
			got := map[int64]string{}
			var holes [][2]int64
			hole := func(from, to int64) { holes = append(holes, [2]int64{from, to}) }
			err := c.Read(soon(t, 5*time.Second), recordbatch.TopicPartition{Topic: "events"}, 0, 10, recordbatch.Visitor{Hole: hole, Record: func(r *recordbatch.Record) error {
				got[r.Offset] = string(r.Value)
				if !r.Time.Equal(time.UnixMilli(1000)) {
					got[r.Offset] += " at " + r.Time.Sub(time.UnixMilli(0)).String()
				}
				if r.ProducerID != 7 || r.ProducerEpoch != 3 {
					t.Errorf("offset %d is of producer %d, %d", r.Offset, r.ProducerID, r.ProducerEpoch)
				}
				return nil
			}})
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Errorf("got %v, want an error with %q", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.holes, holes); diff != "" {
				t.Errorf("holes (-want +got):\n%s", diff)
			}
		})
	}
}

// TestReadGoesOnAfterFaults: Read continues after a connection error and an answer that is empty
// because of a quota.
func TestReadGoesOnAfterFaults(t *testing.T) {
	fake := embedded(t, kfake.SeedTopics(1, "events"))
	records, want := sample("events", 5)
	produce(t, fake.ListenAddrs(), nil, records...)
	fake.ControlKey(int16(kmsg.Fetch), func(kmsg.Request) (kmsg.Response, error, bool) {
		return nil, errors.New("connection error"), true
	})
	fake.ControlKey(int16(kmsg.Fetch), func(req kmsg.Request) (kmsg.Response, error, bool) {
		res := req.ResponseKind().(*kmsg.FetchResponse)
		res.ThrottleMillis = 10
		return res, nil, true
	})
	c := connect(t, cluster.Config{Brokers: fake.ListenAddrs()})
	var got []copied
	if err := c.Read(soon(t, 5*time.Second), recordbatch.TopicPartition{Topic: "events"}, 0, 5, collect(&got)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
