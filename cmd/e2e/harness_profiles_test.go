package e2e

import (
	"encoding/json"
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
	clock    func() time.Time // nil: time.Now
	mu       sync.Mutex
	profiles map[string]string // a cell of each profile, by key
	next     answerDefects     // of the calls to come
	served   []servedSnapshot
}

// answerDefects are what is wrong with an answer.
type answerDefects struct {
	cut       bool // it ends within the row behind the middle, before its promised length
	truncated bool // it ends behind the row in the middle, and nothing promised more
	unframed  bool // it ends with its connection
	empty     bool
	lacks     map[string]bool // keys whose rows are left out
	insert    []string        // lines behind the first row
	// halfway is called when half of the answer is sent.
	halfway func(*http.Request)
}

// servedSnapshot is an answer that was sent.
type servedSnapshot struct {
	at    time.Time
	why   string // why it does not prove who is absent; empty: it does
	ended bool
	had   map[string]string // the cells of the first row of each key
}

// has reports whether the answer has a row of the key.
func (s *servedSnapshot) has(key string) bool {
	_, has := s.had[key]
	return has
}

const profileHeader = "df_unified_id,city\n"

func (s *profileSource) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Date", s.now().UTC().Format(http.TimeFormat))
	s.mu.Lock()
	d, lines := s.next, s.lines()
	served := servedSnapshot{at: s.now(), ended: !d.cut, had: map[string]string{}}
	end, middle := len(lines), max(1, len(lines)/2)
	if d.cut || d.truncated {
		end = middle
	}
	for _, line := range lines[:end] {
		if _, repeated := served.had[line.key]; line.key != "" && !repeated {
			served.had[line.key] = line.city
		}
	}
	served.why = d.why(lines[:end])
	s.served = append(s.served, served)
	s.mu.Unlock()
	first, rest := text(lines[:middle]), text(lines[middle:])
	switch {
	case d.cut:
		w.Header().Set("Content-Length", strconv.Itoa(len(first)+len(rest)+2))
		rest = "u"
	case d.truncated:
		rest = ""
	default:
		w.Header().Set("Content-Length", strconv.Itoa(len(first)+len(rest)))
	}
	d.answer(w, r, first, rest)
}

// profileLine is a line of an answer; without a key it is no row.
type profileLine struct{ key, city, text string }

// lines are those of the next answer, the header first.
func (s *profileSource) lines() []profileLine {
	d := s.next
	lines := []profileLine{{text: profileHeader}}
	if d.empty {
		return lines
	}
	for _, key := range slices.Sorted(maps.Keys(s.profiles)) {
		if d.lacks[key] {
			continue
		}
		lines = append(lines, newProfileLine(key, s.profiles[key]))
		if len(lines) > 2 {
			continue
		}
		for _, text := range d.insert {
			line := profileLine{text: text}
			if key, city, two := strings.Cut(strings.TrimSuffix(text, "\n"), ","); two {
				line.key, line.city = key, city
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func newProfileLine(key, city string) profileLine {
	cell := city
	if strings.ContainsAny(city, "\",\n") {
		cell = `"` + strings.ReplaceAll(city, `"`, `""`) + `"`
	}
	return profileLine{key: key, city: city, text: key + "," + cell + "\n"}
}

func text(lines []profileLine) string {
	var all strings.Builder
	for _, line := range lines {
		all.WriteString(line.text)
	}
	return all.String()
}

// why is why an answer with these defects and lines does not prove who is absent.
func (d *answerDefects) why(lines []profileLine) string {
	seen, repeated, broken := map[string]bool{}, false, false
	for _, line := range lines[1:] {
		repeated = repeated || line.key != "" && seen[line.key]
		broken = broken || !strings.Contains(line.text, ",")
		seen[line.key] = true
	}
	delete(seen, "")
	switch {
	case d.cut:
		return "not_ended"
	case d.unframed || d.truncated:
		return "unproven_end"
	case len(seen) == 0:
		return "no_rows"
	case broken:
		return "unreadable_rows"
	case repeated:
		return "repeated_keys"
	}
	return ""
}

// answer sends an answer in two halves. The client may go away meanwhile.
func (d *answerDefects) answer(w http.ResponseWriter, r *http.Request, first, rest string) {
	w.Header().Set("Content-Type", "text/csv")
	if d.unframed || d.truncated {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_, _ = conn.Write([]byte("HTTP/1.0 200 OK\r\nContent-Type: text/csv\r\n\r\n" + first + rest))
			_ = conn.Close()
		}
		return
	}
	_, _ = w.Write([]byte(first))
	if d.halfway != nil {
		_ = http.NewResponseController(w).Flush()
		d.halfway(r)
	}
	_, _ = w.Write([]byte(rest))
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

func (s *profileSource) now() time.Time {
	if s.clock == nil {
		return time.Now()
	}
	return s.clock()
}

// take returns the answers that were sent since it was called last.
func (s *profileSource) take() []servedSnapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	served := s.served
	s.served = nil
	return served
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

// profileRecord is what the ledger has of a stream of profiles.
type profileRecord struct {
	N, Missing, Withheld int
	Why                  string
}

// profileRecord is what the ledger has of the stream.
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
			if snapshot.has(key) && snapshot.ended {
				break
			}
			if snapshot.why == "" {
				absent++
			}
		}
		if last := s.served[len(s.served)-1]; last.why != "" || absent < 2 || n != before[key]+1 {
			b.t.Errorf("%s was deleted %d times, whole answers lacked it %d times since one had it, the last one was whole, or not: %q", key, n-before[key], absent, last.why)
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
