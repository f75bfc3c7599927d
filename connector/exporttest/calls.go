package exporttest

import (
	"net/http"
	"slices"
	"sort"
	"time"

	"dfinery-kafka/schema"
)

// Call is one request to an endpoint, as recorded by the server.
type Call struct {
	N        int         // counts all calls from 1
	At       time.Time   // by the server's clock
	Ended    time.Time   // zero while the call runs
	Kind     schema.Kind // which endpoint
	Header   http.Header // without Authorization
	Body     string      // the parameters as received
	Query    Query       // the parsed parameters; zero if the call was refused before
	Injected bool        // a fault was applied

	Status int         // of the answer; 0 if the connection was cut before
	Code   schema.Code // of the answer's JSON; empty for a CSV
	Rows   int64       // good rows written
	Bytes  int64       // of the CSV written, before compression
	Whole  bool        // the CSV was written completely
}

// Calls returns all calls so far, in the order of arrival.
func (s *Server) Calls() []Call {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := make([]Call, len(s.calls))
	for i, c := range s.calls {
		calls[i] = *c
	}
	return calls
}

// MostInAnHour is the largest number of calls that arrived within any hour, whatever the answer.
func (s *Server) MostInAnHour() int {
	var at []time.Time
	for _, c := range s.Calls() {
		at = append(at, c.At)
	}
	slices.SortFunc(at, time.Time.Compare)
	most := 0
	for i, end := range at {
		first := sort.Search(i, func(j int) bool { return end.Sub(at[j]) < time.Hour })
		most = max(most, i-first+1)
	}
	return most
}

// MostAtOnce is the largest number of concurrent calls, including refused ones. A call whose
// client went away counts until the server notices.
func (s *Server) MostAtOnce() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mostRunning
}

// Expected is the export that the call would have received without faults.
func (s *Server) Expected(c Call) Table {
	s.mu.Lock()
	g := s.generator(c.Query.Kind)
	s.mu.Unlock()
	return g.table(c.Query)
}
