package profiles

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// TestState_AgainstMap puts random keys into a State and a map, and compares them.
func TestState_AgainstMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s State
	want := map[string]uint64{}
	key := make([]byte, 8)
	for i := range 200_000 {
		binary.BigEndian.PutUint64(key, uint64(random.IntN(60_000)))
		id := uint64(i) & idMask
		s.put(HashKey(3, key)).set(own, id)
		want[string(key)] = id
	}
	for key, id := range want {
		if slot := s.find(HashKey(3, []byte(key))); slot == nil || slot.id() != id || slot.kind() != own {
			t.Fatalf("%x: %v, want id %d", key, slot, id)
		}
	}
	n := 0
	for h, slot := range s.all {
		if s.find(h) != slot {
			t.Fatal("all returns a slot that find does not return for its hash")
		}
		n++
	}
	if n != len(want) {
		t.Errorf("%d keys, want %d", n, len(want))
	}
	if most := 26*n + 16*segments*firstSlots; s.bytes() > most {
		t.Errorf("%d bytes for %d keys, want at most %d", s.bytes(), n, most)
	}
	if s.find(HashKey(3, []byte("none"))) != nil {
		t.Error("find returns a slot for a key that was not put")
	}
}
