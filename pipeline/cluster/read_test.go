package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/recordbatch"
)

func TestRecordHeader(t *testing.T) {
	r := recordbatch.Record{Headers: []recordbatch.Header{{Key: []byte("id"), Value: []byte("1")}, {Key: []byte("id"), Value: []byte("2")}}}
	if got := [2]string{string(r.Header("id")), string(r.Header("export"))}; got != [2]string{"1", ""} {
		t.Errorf("%q", got)
	}
}

// copied is a copy of a record that does not share its memory.
type copied struct {
	Offset     int64
	Time       time.Time
	Key, Value []byte
	Headers    []recordbatch.Header
}

func copyOf(r *recordbatch.Record) copied {
	c := copied{Offset: r.Offset, Time: r.Time.UTC(), Key: append([]byte(nil), r.Key...), Value: append([]byte(nil), r.Value...)}
	for _, h := range r.Headers {
		c.Headers = append(c.Headers, recordbatch.Header{Key: append([]byte(nil), h.Key...), Value: append([]byte(nil), h.Value...)})
	}
	return c
}

func collect(into *[]copied) recordbatch.Visitor {
	return recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
		*into = append(*into, copyOf(r))
		return nil
	}}
}

// sample returns n records, and the same records as they must be read.
func sample(topic string, n int) (records []*kgo.Record, want []copied) {
	for i := range n {
		at := time.UnixMilli(1_700_000_000_000 + int64(i)).UTC()
		id, export := fmt.Appendf(nil, "id-%d", i), []byte("1234/events/2026-11-22/3")
		value := fmt.Appendf(nil, `{"n":"%d","가":"%0*d"}`, i, i%70, 7)
		records = append(records, &kgo.Record{Topic: topic, Key: fmt.Appendf(nil, "key-%d", i), Value: value, Timestamp: at,
			Headers: []kgo.RecordHeader{{Key: "id", Value: id}, {Key: "export", Value: export}}})
		want = append(want, copied{Offset: int64(i), Time: at, Key: records[i].Key, Value: value,
			Headers: []recordbatch.Header{{Key: []byte("id"), Value: id}, {Key: []byte("export"), Value: export}}})
	}
	return records, want
}

func TestReadRange(t *testing.T) {
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		for name, codec := range codecs {
			t.Run(name, func(t *testing.T) {
				topic := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 1, ReplicationFactor: 1,
					Configs: map[string]string{"message.timestamp.type": "CreateTime"}})
				records, want := sample(topic, 300)
				for i := 0; i < 300; i += 100 {
					produce(t, brokers, []kgo.Opt{kgo.ProducerBatchCompression(codec)}, records[i:i+100]...)
				}
				for _, r := range [][2]int64{{0, 300}, {0, 1}, {99, 101}, {150, 151}, {299, 300}, {120, 120}} {
					var got []copied
					if err := c.Read(t.Context(), recordbatch.TopicPartition{Topic: topic}, r[0], r[1], collect(&got)); err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(append([]copied(nil), want[r[0]:r[1]]...), got); diff != "" {
						t.Errorf("offsets %d to %d: %s", r[0], r[1], diff)
					}
				}
			})
		}
	})
}

func TestReadNullAndEmpty(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		topic := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 1, ReplicationFactor: 1})
		produce(t, brokers, nil, &kgo.Record{Topic: topic, Key: []byte{}}, &kgo.Record{Topic: topic, Value: []byte{}})
		type parts struct{ NullKey, NullValue, Recent bool }
		var got []parts
		err := c.Read(t.Context(), recordbatch.TopicPartition{Topic: topic}, 0, 2, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
			got = append(got, parts{r.Key == nil, r.Value == nil, time.Since(r.Time).Abs() < time.Minute})
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]parts{{false, true, true}, {true, false, true}}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestReadOutOfRange(t *testing.T) {
	onEachKafka(t, func(t *testing.T, brokers []string) {
		c := connect(t, cluster.Config{Brokers: brokers})
		topic := ensure(t, c, cluster.TopicSpec{Name: topicName(t), Partitions: 1, ReplicationFactor: 1})
		records, _ := sample(topic, 10)
		produce(t, brokers, nil, records...)
		client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		cut := kadm.Offsets{}
		cut.Add(kadm.Offset{Topic: topic, At: 4})
		if _, err := kadm.NewClient(client).DeleteRecords(t.Context(), cut); err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct{ from, to int64 }{{2, 8}, {11, 12}} {
			err := c.Read(t.Context(), recordbatch.TopicPartition{Topic: topic}, test.from, test.to, recordbatch.Visitor{})
			var got *cluster.RangeError
			if !errors.As(err, &got) {
				t.Errorf("from %d: %v", test.from, err)
				continue
			}
			if text := fmt.Sprintf("topic %s partition 0: offsets %d to %d were requested, the log has 4 to 10", topic, test.from, test.to); err.Error() != text {
				t.Errorf("%q, want %q", err, text)
			}
			if diff := cmp.Diff(&cluster.RangeError{Topic: topic, From: test.from, To: test.to, Start: 4, End: 10}, got); diff != "" {
				t.Error(diff)
			}
		}
		// A log that ends before the range may still grow: Read waits, here until its context ends.
		err = c.Read(soon(t, 200*time.Millisecond), recordbatch.TopicPartition{Topic: topic}, 9, 12, recordbatch.Visitor{})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("beyond the end: %v", err)
		}
	})
}

// BenchmarkRead reads from an embedded broker, whose answers have one batch, so that most of the
// time is spent in Read.
func BenchmarkRead(b *testing.B) {
	for name, codec := range map[string]kgo.CompressionCodec{"plain": kgo.NoCompression(), "snappy": kgo.SnappyCompression()} {
		b.Run(name, func(b *testing.B) {
			fake, err := kfake.NewCluster(kfake.SeedTopics(1, "events"),
				kfake.SyntheticFetch(kfake.SyntheticBatch{RecordBytes: 400, RandomFrac: 0.2, Compression: codec}))
			if err != nil {
				b.Fatal(err)
			}
			defer fake.Close()
			c, err := cluster.New(cluster.Config{Brokers: fake.ListenAddrs()})
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			const records = 200_000
			var seen int64
			b.ReportAllocs()
			for b.Loop() {
				err := c.Read(b.Context(), recordbatch.TopicPartition{Topic: "events"}, 0, records, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
					seen += int64(len(r.Value))
					return nil
				}})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(seen / int64(b.N))
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
		})
	}
}
