package e2e

import (
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestProfiles_Compacted compacts the topic on a real Kafka between exports, and compares it with
// the source.
func TestProfiles_Compacted(t *testing.T) {
	t.Parallel()
	if os.Getenv("KAFKA_TEST_BROKERS") == "" {
		t.Skip("KAFKA_TEST_BROKERS is not set: the embedded Kafka does not compact")
	}
	b, source := newUsers(t, 30)
	b.createCompacted("users", 2)
	b.runOnce(0)
	for _, change := range []func(*profileSource){
		func(s *profileSource) { delete(s.profiles, "user1"); s.profiles["user2"] = "Busan" },
		func(s *profileSource) { s.profiles["user2"], s.profiles["user3"] = "Seoul", "Jeju" },
		func(s *profileSource) { s.profiles["user1"] = "Ulsan" },
	} {
		source.set(change)
		b.runOnce(0)
		b.compactKeys("users")
		b.runOnce(0)
		rows := map[string]string{}
		for _, m := range b.consume("users", kgo.ReadUncommitted()) {
			if rows[m.Key] = m.Value; m.Value == "" {
				delete(rows, m.Key)
			}
		}
		if len(rows) != len(source.profiles) {
			t.Errorf("%d profiles in the compacted topic, the source has %d", len(rows), len(source.profiles))
		}
		for key, city := range source.profiles {
			if want := `{"df_unified_id":"` + key + `","city":"` + city + `"}`; rows[key] != want {
				t.Errorf("%s is %s in the compacted topic, want %s", key, rows[key], want)
			}
		}
	}
}
