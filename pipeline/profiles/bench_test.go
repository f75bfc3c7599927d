package profiles

import (
	"fmt"
	"os"
	"strconv"
	"testing"

	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/schema"
)

// benchmarked returns the number of profiles in the benchmarks: PROFILES, or 1,000,000.
func benchmarked(b *testing.B) int {
	text := os.Getenv("PROFILES")
	if text == "" {
		return 1_000_000
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func key(dst []byte, i int) []byte { return fmt.Appendf(dst[:0], "u%012d", i) }

func scanAll(n int) *Scan {
	s := NewScan("1234", "users", 7, 0, 6, nil)
	r := &recordbatch.Record{Value: []byte("{}"), Headers: []recordbatch.Header{{Key: []byte("id")}, {Key: []byte("export"), Value: []byte("1234/users/2026-11-30/9")}}}
	var id []byte
	for i := range n {
		r.Key = key(r.Key, i)
		id = schema.AppendID(id[:0], schema.BadFingerprint(r.Key), 0)
		r.Headers[0].Value = id
		s.Add(i%6, r)
	}
	return s
}

// BenchmarkScan adds all profiles of a topic to a scan, without decoding their records.
func BenchmarkScan(b *testing.B) {
	n := benchmarked(b)
	for b.Loop() {
		s := scanAll(n)
		b.ReportMetric(float64(s.State.bytes())/float64(n), "B/profile")
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/profile")
}

// BenchmarkSnapshot compares a snapshot of unchanged profiles with the topic, and decides.
func BenchmarkSnapshot(b *testing.B) {
	n := benchmarked(b)
	s := scanAll(n)
	var k []byte
	for b.Loop() {
		for i := range n {
			k = key(k, i)
			if v := s.Compare(k, schema.BadFingerprint(k)); v != Known && v != Repeated {
				b.Fatal(v)
			}
		}
		s.count()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*b.N), "ns/profile")
}
