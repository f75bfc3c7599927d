package exporttest

import (
	"math"
	"net/http"
	"slices"
	"time"

	"dfinery-kafka/schema"
)

// Fault is a fault to inject into one call. Its fields combine; the zero value is a call
// without fault. A fault is applied only to calls that pass the checks of token, limits and
// parameters.
type Fault struct {
	Delay time.Duration // before the answer
	Hang  bool          // no answer ever
	Drop  bool          // the connection is closed without an answer

	// An answer instead of the export. The first of these that is set applies.
	Redirect string      // 307 to this URL
	Code     schema.Code // the API's JSON with this message
	Page     string      // this body, with the content type text/html if none is given
	Empty    bool        // no body
	Status   int         // of that answer; 0 means the documented status of Code, else 200. If set alone: no body

	// For any answer.
	Header      http.Header   // added; replaces the server's own
	ContentType string        // instead of the correct one
	DateOff     time.Duration // added to the Date header
	EchoToken   bool          // the answer repeats the Authorization header in a header, and in the JSON of a Code

	// Faults in the CSV.
	Without []string          // columns that are omitted, whatever the API promises
	Rename  map[string]string // other names in the header, by correct name
	BadRows []BadRow          // additional lines between the rows
	NoFinal bool              // the last line has no line end

	// Where and how the CSV is cut. The position is At bytes after row number AfterRow, or
	// after the start of the body for AfterRow 0. A body that ends before its position is cut
	// at its end, before what would complete it (the last chunk).
	Then     Break
	AfterRow int
	At       int64
	Say      schema.Code // for Then: Fail; empty means query_error

	Drip      int           // at most so many bytes per write; 0 means no limit
	DripEvery time.Duration // pause between writes
}

// Break is how a CSV is cut.
type Break int

// The breaks.
const (
	Never Break = iota
	Close       // the connection is closed: no last chunk, or less than Content-Length
	Reset       // the connection is reset; the client may miss bytes sent before
	End         // the body ends as if complete
	Fail        // a JSON failure, and the body ends: on a line of its own or within a row, depending on the position
	Stall       // no more data until the client goes away
)

// AtEnd is the position after all rows.
const AtEnd = math.MaxInt64

// Poison is an event whose data the database can't read: each query for its day that includes
// the event, or all events, fails with query_error.
type Poison struct {
	Day   schema.Day // 0 means every day
	Event string
}

func (p Poison) affects(q Query) bool {
	if p.Day != 0 && (p.Day < q.From || p.Day > q.To) || q.Kind != schema.Event {
		return false
	}
	f := &q.Filter
	return !slices.Contains(f.ExcludeEvents, p.Event) && (f.Events == nil || slices.Contains(f.Events, p.Event))
}

// Inject applies these faults to the next calls, one fault per call, before Faults is used
// again. With the zero Fault a call succeeds.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, faults...)
}

// fault returns the fault of one call.
func (s *Server) fault(c Call) (Fault, bool) {
	s.mu.Lock()
	if len(s.queue) > 0 {
		f := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		return f, true
	}
	s.mu.Unlock()
	if s.Faults != nil {
		if f := s.Faults(c); f != nil {
			return *f, true
		}
	}
	for _, p := range s.Poison {
		if p.affects(c.Query) {
			return Fault{Code: schema.QueryError}, true
		}
	}
	return Fault{}, false
}

// status is the documented HTTP status of a code.
func status(code schema.Code) int {
	switch code {
	case schema.ClientConnectionClosed:
		return http.StatusOK
	case schema.InvalidParameter, schema.ExceedDateRangeLimit:
		return http.StatusBadRequest
	case schema.UnauthorizedToken:
		return http.StatusUnauthorized
	case schema.TooManyAPIRequests:
		return http.StatusTooManyRequests
	}
	return http.StatusInternalServerError
}
