package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"dfinery-kafka/connector/exporttest"
)

// profileSource is an API whose snapshots of profiles a test changes.
type profileSource struct {
	mu       sync.Mutex
	profiles map[string]string // a cell of each profile, by key
	next     answerDefects     // of the calls to come
	served   []servedSnapshot
}

// answerDefects are what is wrong with an answer.
type answerDefects struct {
	cut, unframed, empty bool
	lacks                map[string]bool // keys whose rows are left out
	insert               []string        // lines behind the first row
}

// servedSnapshot is an answer that was sent.
type servedSnapshot struct {
	whole bool // it proves who is absent
	ended bool
	had   map[string]bool
}

const profileHeader = "df_unified_id,city\n"

func (s *profileSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.next
	snapshot := servedSnapshot{had: map[string]bool{}, ended: !d.cut}
	var csv strings.Builder
	csv.WriteString(profileHeader)
	for i, key := range slices.Sorted(maps.Keys(s.profiles)) {
		if d.empty || d.lacks[key] {
			continue
		}
		fmt.Fprintf(&csv, "%s,%s\n", key, s.profiles[key])
		snapshot.had[key] = true
		if i == 0 {
			csv.WriteString(strings.Join(d.insert, ""))
		}
	}
	snapshot.whole = !d.cut && !d.unframed && len(d.insert) == 0 && len(snapshot.had) > 0
	s.served = append(s.served, snapshot)
	s.answer(w, csv.String(), d)
}

func (s *profileSource) answer(w http.ResponseWriter, csv string, d answerDefects) {
	w.Header().Set("Content-Type", "text/csv")
	if d.unframed {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.0 200 OK\r\nContent-Type: text/csv\r\n\r\n" + csv)) // the client may have gone away
			_ = conn.Close()
		}
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(csv)))
	if d.cut {
		csv = csv[:len(profileHeader)+(len(csv)-len(profileHeader))/2]
	}
	_, _ = w.Write([]byte(csv)) // the client may have gone away
}

// newProfileService has a service whose only stream publishes changes of the source's profiles.
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

// set changes the source before its next answer.
func (s *profileSource) set(change func(*profileSource)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(s)
}

// table is what a consumer that keeps the newest record of each key has, and how often each key was deleted. It fails if the exports of a key's
// records do not rise.
func (b *testbed) table(topic string) (rows map[string]string, deletes map[string]int) {
	b.t.Helper()
	rows, deletes = map[string]string{}, map[string]int{}
	numbers, partitions := map[string]int{}, map[string]int32{}
	for _, m := range b.consume(topic, kgo.ReadUncommitted()) {
		n, err := strconv.Atoi(m.Export[strings.LastIndex(m.Export, "/")+1:])
		if err != nil || n <= numbers[m.Key] {
			b.t.Errorf("key %s: export %q behind export %d: %v", m.Key, m.Export, numbers[m.Key], err)
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

// checkTable compares the topic with the source. With more, the topic may have profiles that the source has no longer.
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
			b.t.Errorf("%s is in the topic, and not in the source", key)
		}
	}
}

// checkDeletes fails unless each key that was deleted since, by an export that got at most one answer, was absent twice: in the last answer, and in
// a whole one before, since which no answer had it.
func (b *testbed) checkDeletes(s *profileSource, before, after map[string]int) {
	b.t.Helper()
	for key, n := range after {
		if n == before[key] {
			continue
		}
		absent := 0
		for _, snapshot := range slices.Backward(s.served) {
			if snapshot.had[key] && snapshot.ended {
				break
			}
			if snapshot.whole {
				absent++
			}
		}
		if last := s.served[len(s.served)-1]; !last.whole || absent < 2 || n != before[key]+1 {
			b.t.Errorf("%s was deleted %d times, whole answers lacked it %d times since one had it, the last one was whole: %t", key, n-before[key], absent, last.whole)
		}
	}
}

// endsWithin waits for a process that may be killed, and reports whether it ended by itself.
func (p *process) endsWithin(limit time.Duration) bool {
	select {
	case <-p.done:
		return true
	case <-time.After(limit):
		return false
	}
}
