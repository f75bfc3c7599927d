package e2e

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// profileSource is an API that serves snapshots of profiles.
type profileSource struct {
	clock    func() time.Time // nil: time.Now
	mu       sync.Mutex
	profiles map[string]string // the city of each profile, by key
	next     answerDefects     // of the next answers
	served   []servedSnapshot
}

// answerDefects are the defects of an answer.
type answerDefects struct {
	cut       bool // ends within a row, before its Content-Length
	truncated bool // ends after half of the rows, with a Content-Length that is correct
	unframed  bool // has no length: ends with its connection
	empty     bool
	lacks     map[string]bool // keys whose rows are left out
	insert    []string        // lines after the first row
	// halfway is called when half of the answer is sent.
	halfway func(*http.Request)
}

// servedSnapshot is an answer that was sent.
type servedSnapshot struct {
	at    time.Time
	why   string // why it is not proven complete; empty: it is
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

// profileLine is a line of an answer. The header and broken lines have no key.
type profileLine struct{ key, city, text string }

// lines returns the lines of the next answer, the header first.
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

// why returns why an answer with these defects and lines is not proven complete.
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

// answer sends an answer in two halves. The client may disconnect between them.
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
