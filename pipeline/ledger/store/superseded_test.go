package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
)

// TestSuperseded: a ledger that is not compacted is loaded as the state that results from entering
// all records in their order.
func TestSuperseded(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := newTestLedger(t, 1)
		want := ledger.NewState(0)
		var former *ledger.State
		read := random.IntN(60) // a standby reads the ledger in two parts
		for n := range 60 {
			if n == read {
				former = s.load()
			}
			key, value := "", ""
			switch random.IntN(8) {
			case 0:
				key, value = "owner/1234", fmt.Sprintf(`{"instance":"%d"}`, n)
			case 1:
				key, value = "checkpoint/1234", fmt.Sprintf(`{"partitions":[{"topic":"t","next":%d}]}`, n)
			case 2:
				key, value = "service/1234", fmt.Sprintf(`{"streams":{"%d":{}}}`, n)
			case 3:
				key, value = fmt.Sprintf("command/%d", random.IntN(2)), fmt.Sprintf(`{"service":"1234","verb":"%d"}`, n)
			default:
				key, value = fmt.Sprintf("day/1234/events/2026-11-2%d", random.IntN(3)), fmt.Sprintf(`{"state":"pending","exports":%d}`, n)
			}
			var bytes []byte
			if random.IntN(10) == 0 {
				value = ""
			} else {
				bytes = []byte(value)
			}
			if err := want.Apply(key, bytes, int64(n)); err != nil {
				t.Fatal(err)
			}
			s.put(0, key, value)
		}
		got := s.load()
		want.End = got.End
		if diff := cmp.Diff(want, got, ignoreKept); diff != "" {
			t.Fatalf("seed %d (-each record entered +loaded):\n%s", seed, diff)
		}
		if err := s.CatchUp(s.soon(), former); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, former, ignoreKept); diff != "" {
			t.Fatalf("seed %d (-each record entered +caught up after %d):\n%s", seed, read, diff)
		}
	}
}

// TestSuperseded_Unreadable: a record that is followed by another one with its key is ignored, even
// if it can't be parsed.
func TestSuperseded_Unreadable(t *testing.T) {
	s := newTestLedger(t, 1)
	s.put(0, "owner/1234", "not JSON")
	s.put(0, "day/1234/events/2026-11-22", `{"state":"lost"}`)
	s.put(0, "owner/1234", `{"instance":"a"}`)
	s.put(0, "day/1234/events/2026-11-22", `{"state":"pending"}`)
	s.put(0, "checkpoint/1234", `{"partitions":[]}`)
	if state := s.load(); state.Owner.Instance != "a" || state.Days[day].State != ledger.Pending {
		t.Errorf("owner %+v, day %+v", state.Owner, state.Days[day])
	}
}
