package dedup_test

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/schema"
)

// model is a simple implementation of a Set.
type model struct {
	published map[dedup.Copy]bool
	observed  map[schema.Fingerprint]int
}

func newModel() *model {
	return &model{published: map[dedup.Copy]bool{}, observed: map[schema.Fingerprint]int{}}
}

// next returns the lowest copy number that is not published.
func (m *model) next(f schema.Fingerprint) int {
	n := 0
	for m.published[dedup.Copy{Fingerprint: f, Number: n}] {
		n++
	}
	return n
}

func published(s *dedup.Set) map[dedup.Copy]bool {
	all := map[dedup.Copy]bool{}
	for f, n := range s.All {
		all[dedup.Copy{Fingerprint: f, Number: n}] = true
	}
	return all
}

// newRand returns random numbers from a new seed, which it logs.
func newRand(t *testing.T) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// randomFingerprints returns distinct fingerprints, some of which differ only in the last bit.
func randomFingerprints(rng *rand.Rand, n int) []schema.Fingerprint {
	all := make([]schema.Fingerprint, n)
	for i := range all {
		binary.BigEndian.PutUint64(all[i][:], rng.Uint64())
		binary.BigEndian.PutUint64(all[i][8:], rng.Uint64())
		if i%50 == 1 {
			all[i] = all[i-1]
			all[i][15] ^= 1
		}
	}
	return all
}

// TestSet_Model calls the methods of a Set in random order, and compares each result with the
// model's.
func TestSet_Model(t *testing.T) {
	rng := newRand(t)
	for _, distinct := range []int{1, 3, 40, 5_000, 60_000} {
		all := randomFingerprints(rng, distinct)
		var set dedup.Set
		m := newModel()
		if rng.IntN(2) == 0 {
			set.Grow(distinct / 2)
		}
		for range 5 {
			set.Begin()
			clear(m.observed)
			skips, puts := rng.IntN(3)*rng.IntN(60), rng.IntN(2)*rng.IntN(60) // percent of rows
			for range min(4*distinct, 120_000) {
				f := all[rng.IntN(distinct)]
				c := dedup.Copy{Fingerprint: f, Number: rng.IntN(1 + rng.IntN(20))}
				if rng.IntN(100) < puts {
					if got := set.Put(f, c.Number); got == m.published[c] {
						t.Fatalf("%d distinct: Put(%x, %d) = %v", distinct, f, c.Number, got)
					}
					m.published[c] = true
					continue
				}
				if got := set.Has(f, c.Number); got != m.published[c] {
					t.Fatalf("%d distinct: Has(%x, %d) = %v", distinct, f, c.Number, got)
				}
				if got := set.Next(f); got != m.next(f) {
					t.Fatalf("%d distinct: Next(%x) = %d, want %d", distinct, f, got, m.next(f))
				}
				n, known := set.Observe(f)
				c.Number = m.observed[f]
				if n != c.Number || known != m.published[c] {
					t.Fatalf("%d distinct: Observe(%x) = %d, %v, want %d, %v", distinct, f, n, known, c.Number, m.published[c])
				}
				m.observed[f]++
				switch {
				case known:
				case rng.IntN(100) < skips:
					set.Skip(f)
				default:
					if got, want := set.Add(f), c.Number == m.next(f); got != want {
						t.Fatalf("%d distinct: Add(%x) = %v for copy %d, want %v", distinct, f, got, c.Number, want)
					}
					m.published[c] = true
				}
			}
			if got := published(&set); !maps.Equal(m.published, got) || set.Rows() != len(got) {
				t.Fatalf("%d distinct: %d rows, want %d; published (-want +got):\n%s", distinct, set.Rows(), len(m.published), cmp.Diff(m.published, got))
			}
		}
	}
}

// TestSet_Clustered adds fingerprints with common leading bytes, which all collide.
func TestSet_Clustered(t *testing.T) {
	var set dedup.Set
	numbered := func(i int) (f schema.Fingerprint) {
		binary.BigEndian.PutUint16(f[14:], uint16(i))
		return f
	}
	for i := range 3000 {
		set.Put(numbered(i), 0)
	}
	for i := range 3001 {
		set.Begin()
		if _, known := set.Observe(numbered(i)); known != (i < 3000) {
			t.Fatalf("fingerprint %d: known = %v", i, known)
		}
		if i == 3000 {
			set.Skip(numbered(i))
		}
	}
	set.Begin()
	if n, known := set.Observe(numbered(3000)); n != 0 || known {
		t.Fatalf("a row that the previous export skipped: Observe = %d, %v", n, known)
	}
}

// TestSet_Skipped: rows that an export skipped are removed by the next one, and need no memory.
func TestSet_Skipped(t *testing.T) {
	rng := newRand(t)
	var set dedup.Set
	kept := randomFingerprints(rng, 10_000)
	for _, f := range kept {
		set.Put(f, rng.IntN(3))
	}
	want := published(&set)
	for range 5 {
		set.Begin()
		for _, f := range randomFingerprints(rng, 3_000) {
			for range 1 + rng.IntN(20)*rng.IntN(2) {
				set.Observe(f)
				set.Skip(f)
			}
		}
		if got := published(&set); !maps.Equal(want, got) {
			t.Fatalf("published (-want +got):\n%s", cmp.Diff(want, got))
		}
	}
	set.Begin()
	for _, f := range kept {
		if n, _ := set.Observe(f); n != 0 {
			t.Fatalf("the first copy of %x has number %d", f, n)
		}
	}
}

// TestDay_AnyOrder saves a day in several parts, and loads the parts and their rows in random
// order: the set is the same.
func TestDay_AnyOrder(t *testing.T) {
	rng := newRand(t)
	for range 300 {
		all := randomFingerprints(rng, 1+rng.IntN(5))
		day := dedup.Day{Set: new(dedup.Set)}
		var rows []schema.Fingerprint
		var numbered []dedup.Copy
		for range 1 + rng.IntN(4) {
			day.Set.Begin()
			for range rng.IntN(60) {
				f := all[rng.IntN(len(all))]
				switch n, known := day.Set.Observe(f); {
				case rng.IntN(4) == 0:
					if c := (dedup.Copy{Fingerprint: f, Number: rng.IntN(20)}); !day.Set.Has(c.Fingerprint, c.Number) {
						day.AddCopy(c)
					}
				case known:
				case rng.IntN(3) == 0:
					day.Set.Skip(f)
				default:
					day.Add(f, n)
				}
			}
			if rng.IntN(3) == 0 {
				day.Rewrite()
				rows, numbered = nil, nil
			}
			someRows, someNumbered := day.Unsaved()
			for f := range someRows {
				rows = append(rows, f)
			}
			for c := range someNumbered {
				numbered = append(numbered, c)
			}
			day.Saved()
			if day.Dirty() {
				t.Fatal("the day is dirty after it was saved")
			}
		}
		var loaded dedup.Set
		rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		rng.Shuffle(len(numbered), func(i, j int) { numbered[i], numbered[j] = numbered[j], numbered[i] })
		for len(rows)+len(numbered) > 0 {
			if len(rows) > 0 && rng.IntN(2) == 0 {
				n := 1 + rng.IntN(len(rows))
				for _, f := range rows[:n] {
					loaded.Load(f[:])
				}
				rows = rows[n:]
			} else if len(numbered) > 0 {
				loaded.LoadCopy(numbered[0])
				numbered = numbered[1:]
			}
		}
		if diff := cmp.Diff(published(day.Set), published(&loaded)); diff != "" || loaded.Rows() != day.Set.Rows() {
			t.Fatalf("%d rows, want %d; loaded (-saved +loaded):\n%s", loaded.Rows(), day.Set.Rows(), diff)
		}
	}
}

// TestSet_OldLedger: rows without copy numbers, from a release that did not have them, are first
// copies; a repeated fingerprint is another copy.
func TestSet_OldLedger(t *testing.T) {
	f, g := schema.Fingerprint{1}, schema.Fingerprint{1, 2}
	var set dedup.Set
	for _, f := range []schema.Fingerprint{f, g, f, f} {
		set.Load(f[:])
	}
	set.LoadCopy(dedup.Copy{Fingerprint: g, Number: 2})
	set.LoadCopy(dedup.Copy{Fingerprint: g, Number: 2})
	want := map[dedup.Copy]bool{}
	for i := range 3 {
		want[dedup.Copy{Fingerprint: f, Number: i}] = true
		want[dedup.Copy{Fingerprint: g, Number: i}] = true
	}
	if diff := cmp.Diff(want, published(&set)); diff != "" {
		t.Errorf("published (-want +got):\n%s", diff)
	}
}
