package e2e

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
)

// newProfileService returns a service whose only stream has MODE=changes and exports the
// source's profiles.
func newProfileService(t *testing.T, s *profileSource) *testbed {
	t.Helper()
	b := newProfiles(t, &exporttest.Server{})
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	b.set("DFINERY_BASE_URL", server.URL, "STREAM_USERS_POLL_INTERVAL", "1ms", "DFINERY_CALLS_PER_HOUR", "10000000")
	return b
}

// table returns the newest value of each key in the topic, and how often each key was deleted.
// It fails the test if the export numbers of a key's records do not increase.
func (b *testbed) table(topic string) (rows map[string]string, deletes map[string]int) {
	b.t.Helper()
	rows, deletes = map[string]string{}, map[string]int{}
	numbers, partitions := map[string]int{}, map[string]int32{}
	for _, m := range b.consume(topic, kgo.ReadUncommitted()) {
		n, err := strconv.Atoi(m.Export[strings.LastIndex(m.Export, "/")+1:])
		if err != nil || n <= numbers[m.Key] {
			b.t.Errorf("key %s: export %q follows export %d: %v", m.Key, m.Export, numbers[m.Key], err)
		}
		if at, known := partitions[m.Key]; known && at != m.Partition {
			b.t.Errorf("key %s is in the partitions %d and %d", m.Key, at, m.Partition)
		}
		numbers[m.Key], partitions[m.Key] = n, m.Partition
		switch op := m.Headers["op"]; {
		case op == "d" && m.Value == "":
			deletes[m.Key]++
			delete(rows, m.Key)
		case (op == "c" || op == "u" || op == "r") && m.Value != "":
			rows[m.Key] = m.Value
		default:
			b.t.Errorf("key %s has the op %q and the value %q", m.Key, op, m.Value)
		}
	}
	return rows, deletes
}

// profileRecord has members of a stream's state in the ledger.
type profileRecord struct {
	N, Missing, Withheld int
	Why                  string
}

// profileRecord returns the state of the stream users in the ledger.
func (b *testbed) profileRecord() profileRecord {
	b.t.Helper()
	var newest string
	for _, r := range b.consume("ledger", kgo.ReadUncommitted()) {
		if r.Key == "service/1234" {
			newest = r.Value
		}
	}
	var service struct{ Profiles map[string]profileRecord }
	if err := json.Unmarshal([]byte(newest), &service); err != nil {
		b.t.Fatalf("%s: %v", newest, err)
	}
	return service.Profiles["users"]
}

// checkTable compares the topic with the source. With more, the topic may have profiles that
// were removed from the source.
func (b *testbed) checkTable(s *profileSource, more bool) {
	b.t.Helper()
	rows, _ := b.table("users")
	for key, city := range s.profiles {
		if want := fmt.Sprintf(`{"df_unified_id":%q,"city":%q}`, key, city); rows[key] != want {
			b.t.Errorf("%s is %s in the topic, want %s", key, rows[key], want)
		}
	}
	for key := range rows {
		if _, is := s.profiles[key]; !is && !more {
			b.t.Errorf("%s is in the topic, but not in the source", key)
		}
	}
}

// checkDeletes checks that each key that was deleted between before and after was absent from
// two complete answers, the last one and an earlier one, and present in none between them.
func (b *testbed) checkDeletes(s *profileSource, before, after map[string]int) {
	b.t.Helper()
	for key, n := range after {
		if n == before[key] {
			continue
		}
		absent := 0
		for _, snapshot := range slices.Backward(s.served) {
			if snapshot.has(key) && snapshot.ended {
				break
			}
			if snapshot.why == "" {
				absent++
			}
		}
		if last := s.served[len(s.served)-1]; last.why != "" || absent < 2 || n != before[key]+1 {
			b.t.Errorf("%s was deleted %d times after %d complete answers without it; the last answer is not complete because of %q", key, n-before[key], absent, last.why)
		}
	}
}

// endsWithin reports whether the process ends within a time.
func (p *process) endsWithin(limit time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
		return false
	}
}
