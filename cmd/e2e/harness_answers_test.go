package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// answer is a response of the API.
type answer struct {
	status int // 0: 200
	header http.Header
	body   string
}

// csvOf returns an answer with a complete CSV of a content type.
func csvOf(contentType, body string) answer {
	return answer{header: http.Header{"Content-Type": {contentType}}, body: body}
}

// newAnswering returns a service whose API sends the answers of reply, and a function that
// replaces reply. back is how many days before today the requested day is, call the number
// of earlier calls for that day.
func newAnswering(t *testing.T, reply func(back, call int) answer) (*testbed, func(func(back, call int) answer)) {
	t.Helper()
	b := newTestbed(t, &exporttest.Server{})
	var mu sync.Mutex
	calls := map[int]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return // check requests only the root
		}
		var asked struct {
			From schema.Day `json:"from_date"`
		}
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		mu.Lock()
		back := int(currentDay() - asked.From)
		a := reply(back, calls[back])
		calls[back]++
		mu.Unlock()
		w.Header()["Content-Type"] = nil
		for name, values := range a.header {
			w.Header()[name] = values
		}
		if a.status == 0 {
			a.status = http.StatusOK
		}
		if a.status != http.StatusNoContent {
			w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
		}
		w.WriteHeader(a.status)
		_, _ = w.Write([]byte(a.body)) // fails if the program has ended
	}))
	t.Cleanup(server.Close)
	b.set("DFINERY_BASE_URL", server.URL)
	b.unlimited()
	return b, func(next func(back, call int) answer) {
		mu.Lock()
		defer mu.Unlock()
		reply = next
	}
}

// rowsOf returns the rows of a CSV without quotes.
func rowsOf(text string) []row {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	names := strings.Split(lines[0], ",")
	var rows []row
	for _, line := range lines[1:] {
		var cells []cell
		for i, value := range strings.Split(line, ",") {
			if value != "" {
				cells = append(cells, cell{names[i], value})
			}
		}
		rows = append(rows, newRow(cells))
	}
	return rows
}
