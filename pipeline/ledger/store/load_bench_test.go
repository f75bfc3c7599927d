package store_test

import (
	"runtime"
	"testing"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
)

// BenchmarkLoadSet loads the fingerprints of a day of five million rows from an embedded broker.
// The reported memory is only that of the set.
func BenchmarkLoadSet(b *testing.B) {
	const rows, together = 5_000_000, 200_000
	s := newTestLedger(b, 1)
	w := s.writer(0)
	logs, err := s.Cluster.Offsets(s.soon(), recordbatch.TopicPartition{Topic: s.Rows})
	if err != nil {
		b.Fatal(err)
	}
	start := logs[0].End
	for n := 0; n < rows; n += together {
		if err := w.Save(day, 1, unsaved(fingerprints(n, n+together))); err != nil {
			b.Fatal(err)
		}
		s.flush()
	}
	if logs, err = s.Cluster.Offsets(s.soon(), recordbatch.TopicPartition{Topic: s.Rows}); err != nil {
		b.Fatal(err)
	}
	record := &ledger.Day{Published: rows, Generation: 1, Fingerprints: []ledger.Range{{0, start, logs[0].End}}}
	load := func() *dedup.Set {
		set, err := s.LoadSet(s.soon(), day, record)
		if err != nil || set.Rows() != rows {
			b.Fatalf("%d rows, %v", set.Rows(), err)
		}
		return set
	}
	for b.Loop() {
		load()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	set := load()
	runtime.GC()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/rows, "bytes/row")
	runtime.KeepAlive(set)
}
