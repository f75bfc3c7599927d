package recordbatch

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var errValue = errors.New("no value")

// failingValue appends n bytes and fails; with replaced it returns other memory with the error.
type failingValue struct {
	n        int
	replaced bool
}

func (v failingValue) Append(dst []byte) ([]byte, error) {
	dst = append(dst, bytes.Repeat([]byte{'#'}, v.n)...)
	if v.replaced {
		return nil, errValue
	}
	return dst, errValue
}

// TestBuilder_FailedValue: after values that fail at random positions, having written random bytes,
// the batch equals one without their records.
func TestBuilder_FailedValue(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	codec, _ := NewCodec("none")
	for range 200 {
		var b, want Builder
		b.Reset()
		want.Reset()
		for i, p := range randomRecords(rng.Uint64(), 1+rng.IntN(40), 300) {
			for rng.IntN(3) == 0 {
				size, err := b.Append([]byte(p.Key), failingValue{rng.IntN(20_000), rng.IntN(2) == 0}, p.headers())
				if !errors.Is(err, errValue) || size != b.Size() || b.Count() != i {
					t.Fatalf("seed %d: size %d, error %v, %d records; want %d, the value's and %d", seed, size, err, b.Count(), b.Size(), i)
				}
			}
			add(t, &b, p)
			add(t, &want, p)
		}
		if rng.IntN(2) == 0 {
			_, _ = b.Append(nil, failingValue{n: 100}, nil)
		}
		if got := string(b.LastID()); got != string(want.LastID()) {
			t.Fatalf("seed %d: last id %q, want %q", seed, got, want.LastID())
		}
		got, err := b.Encode(nil, codec, stamp)
		if err != nil {
			t.Fatal(err)
		}
		expected, _ := want.Encode(nil, codec, stamp)
		if !bytes.Equal(got, expected) {
			t.Fatalf("seed %d: the batch differs from the one without failures", seed)
		}
	}
}

// TestParser_ReadsBuilder: a Parser reads the batches of a Builder with each codec, in any pieces.
func TestParser_ReadsBuilder(t *testing.T) {
	for _, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(name, func(t *testing.T) {
			codec, err := NewCodec(name)
			if err != nil {
				t.Fatal(err)
			}
			want := randomRecords(5, 90, 2000)
			var log []byte
			for first := 0; first < len(want); first += 30 {
				var b Builder
				b.Reset()
				for _, p := range want[first : first+30] {
					add(t, &b, p)
				}
				start := len(log)
				if log, err = b.Encode(log, codec, stamp); err != nil {
					t.Fatal(err)
				}
				log[start+7] = byte(first) // brokers set the base offset
			}
			for _, from := range []int64{0, 17, 30, 89} {
				var got []plain
				p := NewParser(from, int64(len(want)), Visitor{Record: func(r *Record) error {
					if r.ProducerID != stamp.ProducerID || r.ProducerEpoch != stamp.ProducerEpoch || !r.Time.Equal(stamp.Time) || r.Offset != from+int64(len(got)) {
						t.Fatalf("record %+v", r)
					}
					entry := plain{Key: string(r.Key), Value: string(r.Value)}
					for _, h := range r.Headers {
						entry.Headers = append(entry.Headers, string(h.Key)+"="+string(h.Value))
					}
					got = append(got, entry)
					return nil
				}, Hole: func(from, to int64) { t.Errorf("a hole at %d to %d", from, to) }})
				for cut := len(log) / 2; !p.Done(); cut = len(log) { // the first answer ends within a batch
					if err := p.Visit(log[:cut]); err != nil {
						t.Fatal(err)
					}
				}
				p.End()
				if diff := cmp.Diff(want[from:], got); diff != "" {
					t.Errorf("from %d (-written +read):\n%s", from, diff)
				}
			}
		})
	}
}
