package recordbatch

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// plain is a record in a form that all readers can be compared in.
type plain struct {
	Key, Value string
	Headers    []string
}

func randomRecords(seed uint64, n, size int) []plain {
	rng := rand.New(rand.NewPCG(seed, 1))
	text := func(max int) string {
		b := make([]byte, rng.IntN(max+1))
		for i := range b {
			b[i] = "abcdefgh\"\\\x00\xff"[rng.IntN(12)]
		}
		return string(b)
	}
	records := make([]plain, n)
	for i := range records {
		records[i] = plain{Key: text(40), Value: text(size), Headers: []string{"id=" + text(30), "export=" + text(70)}}
	}
	return records
}

// add appends p to b.
func add(t *testing.T, b *Builder, p plain) {
	t.Helper()
	if _, err := b.Append([]byte(p.Key), Bytes(p.Value), p.headers()); err != nil {
		t.Fatal(err)
	}
}

func (p plain) headers() []Header {
	var headers []Header
	for _, h := range p.Headers {
		name, value, _ := bytes.Cut([]byte(h), []byte("="))
		headers = append(headers, Header{Key: name, Value: value})
	}
	return headers
}

var stamp = Stamp{ProducerID: 7_000_000_000, ProducerEpoch: 12, Sequence: 99, Time: time.UnixMilli(1_700_000_000_123)}

// TestBatchIsReadByOthers writes batches with each codec and reads them with franz-go and with
// kafka-go.
func TestBatchIsReadByOthers(t *testing.T) {
	for _, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		codec, err := NewCodec(name)
		if err != nil {
			t.Fatal(err)
		}
		for seed, size := range []int{0, 1, 30, 57, 63, 64, 200, 900, 9_000, 70_000} {
			want := randomRecords(uint64(seed), 50, size)
			var b Builder
			b.Reset()
			for _, p := range want {
				add(t, &b, p)
			}
			if got, last := string(b.LastID()), want[49].Headers[0][3:]; got != last {
				t.Errorf("last id %q, want %q", got, last)
			}
			encoded, err := b.Encode([]byte("before"), codec, stamp)
			if err != nil {
				t.Fatal(err)
			}
			encoded = encoded[len("before"):]
			if diff := cmp.Diff(want, readFranz(t, encoded)); diff != "" {
				t.Errorf("%s, values of up to %d bytes, read by franz-go (-written +read):\n%s", name, size, diff)
			}
			if diff := cmp.Diff(want, readKafkaGo(t, encoded)); diff != "" {
				t.Errorf("%s, values of up to %d bytes, read by kafka-go (-written +read):\n%s", name, size, diff)
			}
		}
	}
}

func readFranz(t *testing.T, encoded []byte) []plain {
	t.Helper()
	var header kmsg.RecordBatch
	if err := header.ReadFrom(encoded); err != nil {
		t.Fatal(err)
	}
	if header.ProducerID != 7_000_000_000 || header.ProducerEpoch != 12 || header.FirstSequence != 99 || header.FirstTimestamp != 1_700_000_000_123 {
		t.Errorf("header %+v", header)
	}
	partition := kmsg.NewFetchResponseTopicPartition()
	partition.HighWatermark, partition.RecordBatches = 1<<40, encoded
	fetched, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{KeepControlRecords: true}, &partition, kgo.DefaultDecompressor(), nil)
	if fetched.Err != nil {
		t.Fatal(fetched.Err)
	}
	var records []plain
	for i, r := range fetched.Records {
		if r.Offset != int64(i) {
			t.Errorf("record %d has offset %d", i, r.Offset)
		}
		p := plain{Key: string(r.Key), Value: string(r.Value)}
		for _, h := range r.Headers {
			p.Headers = append(p.Headers, h.Key+"="+string(h.Value))
		}
		records = append(records, p)
	}
	return records
}

func readKafkaGo(t *testing.T, encoded []byte) []plain {
	t.Helper()
	size := len(encoded)
	framed := append([]byte{byte(size >> 24), byte(size >> 16), byte(size >> 8), byte(size)}, encoded...)
	var set protocol.RecordSet
	if _, err := set.ReadFrom(bytes.NewReader(framed)); err != nil {
		t.Fatal(err)
	}
	var records []plain
	for {
		r, err := set.Records.ReadRecord()
		if err != nil {
			return records
		}
		key, _ := protocol.ReadAll(r.Key)
		value, _ := protocol.ReadAll(r.Value)
		p := plain{Key: string(key), Value: string(value)}
		for _, h := range r.Headers {
			p.Headers = append(p.Headers, h.Key+"="+string(h.Value))
		}
		records = append(records, p)
	}
}

// TestSplit splits a batch at every record: both parts can be read and have the records in order.
func TestSplit(t *testing.T) {
	want := randomRecords(3, 140, 300)
	codec, _ := NewCodec("none")
	for n := range len(want) {
		var b, rest Builder
		b.Reset()
		for _, p := range want {
			add(t, &b, p)
		}
		b.Split(n, &rest)
		var got []plain
		for _, half := range []*Builder{&b, &rest} {
			if half.Count() == 0 {
				continue
			}
			encoded, err := half.Encode(nil, codec, stamp)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, readFranz(t, encoded)...)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("split at %d:\n%s", n, diff)
		}
	}
}

func FuzzBatch(f *testing.F) {
	f.Add([]byte("key"), []byte("value"), []byte("id"), 3)
	f.Add([]byte(nil), bytes.Repeat([]byte("x"), 8191), []byte(nil), 1)
	codec, _ := NewCodec("snappy")
	f.Fuzz(func(t *testing.T, key, value, id []byte, n int) {
		var b Builder
		b.Reset()
		var want []plain
		for i := range n&63 + 1 {
			p := plain{Key: string(key[:len(key)*i/64]), Value: fmt.Sprint(string(value), i), Headers: []string{"id=" + string(id)}}
			want = append(want, p)
			add(t, &b, p)
		}
		encoded, err := b.Encode(nil, codec, stamp)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, readFranz(t, encoded)); diff != "" {
			t.Errorf("read by franz-go:\n%s", diff)
		}
		if diff := cmp.Diff(want, readKafkaGo(t, encoded)); diff != "" {
			t.Errorf("read by kafka-go:\n%s", diff)
		}
	})
}

type wideRecord struct {
	key, value []byte
	headers    []Header
}

// wideRecords returns records like the rows of a wide export: 22 members with repeated names and
// fewer repeated values, 860 bytes.
func wideRecords(n int) []wideRecord {
	rng := rand.New(rand.NewPCG(1, 2))
	records := make([]wideRecord, n)
	for i := range records {
		key, id := fmt.Sprintf("u%09d", rng.IntN(100_000)), fmt.Sprintf("%011x%011x", rng.Uint64()>>20, rng.Uint64()>>20)
		value := fmt.Appendf(nil, `{"df_unified_id":"%s","event_log_id":"%016x-%016x"`, key, rng.Uint64(), rng.Uint64())
		for m := range 20 {
			value = fmt.Appendf(value, `,"df_items_property_%02d":"value %d of %d"`, m, rng.IntN(500), rng.IntN(40))
		}
		records[i] = wideRecord{[]byte(key), append(value, '}'), []Header{{[]byte("id"), []byte(id)}, {[]byte("export"), []byte("1234/events/2026-11-22/3")}}}
	}
	return records
}

// BenchmarkBatch adds one record in each iteration; those that fill a batch also encode it.
func BenchmarkBatch(b *testing.B) {
	records := wideRecords(2000)
	for _, name := range []string{"none", "snappy", "lz4", "zstd", "gzip"} {
		b.Run(name, func(b *testing.B) {
			codec, err := NewCodec(name)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			var (
				open     Builder
				out      []byte
				in, sent int
				value    benchValue
			)
			open.Reset()
			for i := 0; b.Loop(); i++ {
				r := &records[i%len(records)]
				value.text = r.value
				size, err := open.Append(r.key, &value, r.headers)
				if err != nil {
					b.Fatal(err)
				}
				if size < 512<<10 {
					continue
				}
				if out, err = open.Encode(out[:0], codec, Stamp{Time: time.Now()}); err != nil {
					b.Fatal(err)
				}
				in, sent = in+open.Size(), sent+len(out)
				open.Reset()
			}
			b.ReportMetric(float64(sent)/float64(max(in, 1)), "sent/byte")
		})
	}
}

// benchValue is used by pointer, like an encoder.
type benchValue struct{ text []byte }

func (v *benchValue) Append(dst []byte) ([]byte, error) { return append(dst, v.text...), nil }
