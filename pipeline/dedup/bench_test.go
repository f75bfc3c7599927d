package dedup_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/schema"
)

func BenchmarkSet(b *testing.B) {
	const rows = 1_000_000
	b.Run("add", func(b *testing.B) {
		for b.Loop() {
			fill(rows)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		set := fill(rows)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/rows, "bytes/row")
		runtime.KeepAlive(set)
	})
	b.Run("known", func(b *testing.B) {
		set := fill(rows)
		for b.Loop() {
			set.Begin()
			rng := rand.New(rand.NewPCG(3, 4))
			for range rows {
				var f schema.Fingerprint
				binary.BigEndian.PutUint64(f[:], rng.Uint64())
				binary.BigEndian.PutUint64(f[8:], rng.Uint64())
				if _, known := set.Observe(f); !known {
					b.Fatal("a row is not known")
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	})
}

func fill(rows int) *dedup.Set {
	set, rng := new(dedup.Set), rand.New(rand.NewPCG(3, 4))
	for range rows {
		var f schema.Fingerprint
		binary.BigEndian.PutUint64(f[:], rng.Uint64())
		binary.BigEndian.PutUint64(f[8:], rng.Uint64())
		if _, known := set.Observe(f); !known {
			set.Add(f)
		}
	}
	return set
}
