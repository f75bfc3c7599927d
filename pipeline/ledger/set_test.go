package ledger_test

import (
	"encoding/binary"
	"math/rand/v2"
	"runtime"
	"testing"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// model is what a Set promises, written down as plainly as can be.
type model struct{ published, met map[schema.Fingerprint]int }

func (m *model) meet(f schema.Fingerprint) (int, bool) {
	if m.met[f] == m.published[f] {
		return m.met[f], false
	}
	m.met[f]++
	return m.met[f] - 1, true
}

func (m *model) add(f schema.Fingerprint) { m.published[f]++; m.met[f]++ }

func TestSetAgainstModel(t *testing.T) {
	for _, distinct := range []int{1, 3, 40, 5_000, 60_000} {
		rng := rand.New(rand.NewPCG(1, uint64(distinct)))
		all := make([]schema.Fingerprint, distinct)
		for i := range all {
			binary.BigEndian.PutUint64(all[i][:], rng.Uint64())
			binary.BigEndian.PutUint64(all[i][8:], rng.Uint64())
			if i%50 == 1 { // neighbours that differ in their last bit only
				all[i] = all[i-1]
				all[i][15] ^= 1
			}
		}
		var set ledger.Set
		m := model{published: map[schema.Fingerprint]int{}, met: map[schema.Fingerprint]int{}}
		for round := range 5 {
			set.Begin()
			clear(m.met)
			if round > 1 {
				set.Grow(distinct / round)
			}
			for range min(4*distinct, 120_000) {
				f := all[rng.IntN(distinct)]
				copy, known := set.Meet(f)
				wantCopy, wantKnown := m.meet(f)
				if copy != wantCopy || known != wantKnown {
					t.Fatalf("%d distinct: Meet = %d, %v, want %d, %v", distinct, copy, known, wantCopy, wantKnown)
				}
				if !known && rng.IntN(3) > 0 {
					set.Add(f)
					m.add(f)
				}
			}
		}
		found := 0
		for f, n := range set.All {
			if found++; m.published[f] != n {
				t.Fatalf("%d distinct: %x has %d copies, want %d", distinct, f, n, m.published[f])
			}
		}
		rows := 0
		for _, n := range m.published {
			rows += n
		}
		if len(m.published) != found || set.Rows() != rows {
			t.Fatalf("%d distinct: %d fingerprints, %d rows; want %d, %d", distinct, found, set.Rows(), len(m.published), rows)
		}
	}
}

// TestSetClustered gives fingerprints that share their leading bytes, which no hash would, but which must not be lost either.
func TestSetClustered(t *testing.T) {
	var set ledger.Set
	for i := range 3000 {
		var f schema.Fingerprint
		binary.BigEndian.PutUint16(f[14:], uint16(i))
		set.Add(f)
	}
	for i := range 3001 {
		var f schema.Fingerprint
		binary.BigEndian.PutUint16(f[14:], uint16(i))
		set.Begin()
		if _, known := set.Meet(f); known != (i < 3000) {
			t.Fatalf("fingerprint %d: known = %v", i, known)
		}
	}
}

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
	b.Run("meet", func(b *testing.B) {
		set := fill(rows)
		for b.Loop() {
			set.Begin()
			rng := rand.New(rand.NewPCG(3, 4))
			for range rows {
				var f schema.Fingerprint
				binary.BigEndian.PutUint64(f[:], rng.Uint64())
				binary.BigEndian.PutUint64(f[8:], rng.Uint64())
				if _, known := set.Meet(f); !known {
					b.Fatal("a row is not known")
				}
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
	})
}

func fill(rows int) *ledger.Set {
	set, rng := new(ledger.Set), rand.New(rand.NewPCG(3, 4))
	for range rows {
		var f schema.Fingerprint
		binary.BigEndian.PutUint64(f[:], rng.Uint64())
		binary.BigEndian.PutUint64(f[8:], rng.Uint64())
		if _, known := set.Meet(f); !known {
			set.Add(f)
		}
	}
	return set
}
