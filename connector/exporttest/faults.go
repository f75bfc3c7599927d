package exporttest

import (
	"math"
	"net/http"
	"slices"
	"time"

	"dfinery-kafka/schema"
)

// Fault is what goes wrong with one call. Its fields combine; the zero value is a call that goes well.
// A fault is applied to calls that token, limits and parameters let through.
type Fault struct {
	Delay time.Duration // before anything is answered
	Hang  bool          // nothing is ever answered
	Drop  bool          // the connection is closed without an answer

	// An answer in place of the export. The first one of these that is set decides.
	Redirect string      // 307 to this URL
	Code     schema.Code // the API's JSON with this message
	Page     string      // this body, under the content type text/html if none is given
	Empty    bool        // no body
	Status   int         // of that answer; 0 means the documented one of Code, else 200. Alone: no body

	// Of any answer.
	Header      http.Header   // added; takes the place of the server's own
	ContentType string        // in place of the right one
	DateOff     time.Duration // added to the Date header
	EchoToken   bool          // the Authorization header comes back in a header, and in the JSON of a Code

	// What is wrong in the CSV.
	Without []string          // columns that are left out, whatever the API promises
	Rename  map[string]string // names in the header in place of the right ones
	BadRows []BadRow          // further lines between the rows
	NoFinal bool              // the last line has no line end

	// Where and how the CSV breaks off. The position is At bytes behind row number AfterRow, or behind the start of the
	// body for AfterRow 0. A body that ends before its position breaks off at its end, before what would complete it
	// (the last chunk).
	Then     Break
	AfterRow int
	At       int64
	Say      schema.Code // for Then: Fail; empty means query_error

	Drip      int           // at most so many bytes at once; 0 means no limit
	DripEvery time.Duration // between them
}

// Break is how a CSV breaks off.
type Break int

// The breaks.
const (
	Never Break = iota
	Close       // the connection is closed: no last chunk, or less than Content-Length
	Reset       // the connection is reset; the client may miss bytes sent before
	End         // the body ends as if complete
	Fail        // a JSON failure, and the body ends: on a line of its own or glued to a torn row, as the position says
	Stall       // nothing more comes until the client goes away
)

// AtEnd is the position behind all rows.
const AtEnd = math.MaxInt64

// Poison is an event whose data the database can't read: each query for its day that includes the event, or all events, answers query_error.
type Poison struct {
	Day   schema.Day // 0 means every day
	Event string
}

func (p Poison) kills(q Query) bool {
	if p.Day != 0 && (p.Day < q.From || p.Day > q.To) || q.Kind != schema.Event {
		return false
	}
	f := &q.Filter
	return !slices.Contains(f.ExcludeEvents, p.Event) && (f.Events == nil || slices.Contains(f.Events, p.Event))
}

// Inject makes the next calls fail, one fault a call, before Faults is asked again. With the zero Fault a call succeeds.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, faults...)
}

// fault decides about one call.
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
		if p.kills(c.Query) {
			return Fault{Code: schema.QueryError}, true
		}
	}
	return Fault{}, false
}

// status is the documented one of the API's codes.
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
