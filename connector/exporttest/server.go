package exporttest

import (
	"cmp"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
	"time"

	"dfinery-kafka/schema"
)

// Server simulates the Export API of one service as an http.Handler. Its exported fields must
// not change after the first call. The zero value serves the zero Data for the service "1234"
// and the token "export-token". It is safe for concurrent use. A handler ends when its
// request's context ends.
type Server struct {
	Service string           // empty means 1234
	Token   string           // initial token; empty means export-token
	Clock   func() time.Time // nil means time.Now; it must be safe for concurrent use

	Data    Data
	Limits  Limits
	Format  Format
	Framing Framing

	Reach int // days before today that from_date may be; 0 means 30
	// IdentitiesOnRequest omits df_external_id from a profile export that does not ask for all
	// identities.
	IdentitiesOnRequest bool
	RefuseToday         bool // today can't be exported yet; future days never can
	ToDateExclusive     bool // to_date itself is not exported

	// Faults returns the fault of each call that is not refused; nil, or a nil result, means none.
	// The call's Query has no Export number yet. Faults must be safe for concurrent use.
	Faults func(Call) *Fault
	Poison []Poison

	mu          sync.Mutex // guards all that follows
	token       string     // empty means Token
	calls       []*Call
	running     int // calls in flight, including refused ones
	mostRunning int
	window      window
	queue       []Fault
	exports     map[string]int // CSVs answered, by the call's parameters
	generators  map[schema.Kind]*generator
	plans       map[string]*plan
}

// SetToken makes the server accept only this token, from the next call on.
func (s *Server) SetToken(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.token = token
}

const pathPrefix = "/api/v1/export/"

// ServeHTTP answers a call of the API.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.now()
	w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
	kind := schema.Kind(strings.TrimPrefix(r.URL.Path, pathPrefix))
	if !strings.HasPrefix(r.URL.Path, pathPrefix) || kind != schema.Event && kind != schema.UserProfile {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, http.StatusText(http.StatusMethodNotAllowed), http.StatusMethodNotAllowed)
		return
	}
	body, err := readBody(r)
	a := s.begin(w, r, kind, body, now)
	defer a.release()
	if err != nil {
		a.fail(schema.InvalidParameter)
		return
	}
	if code := s.refuse(a, body, now); code != "" {
		a.fail(code)
		return
	}
	if f, faulty := s.fault(a.snapshot()); faulty {
		a.fault = f
		a.update(func(c *Call) { c.Injected = true })
	}
	a.serve()
}

// refuse checks token, limits and parameters, in this order. A call without a valid token uses
// no quota.
func (s *Server) refuse(a *answer, body []byte, now time.Time) schema.Code {
	id := a.r.URL.Query().Get("service_id")
	if id == "" {
		return schema.InvalidParameter
	}
	if id != cmp.Or(s.Service, "1234") || !s.authorized(a.r.Header.Get("Authorization")) {
		return schema.UnauthorizedToken
	}
	s.mu.Lock()
	a.admitted = s.window.admit(&s.Limits, a.call.N, now)
	s.window.headers(&s.Limits, a.w.Header(), now, !a.admitted)
	s.mu.Unlock()
	if !a.admitted {
		return schema.TooManyAPIRequests
	}
	q, code := s.query(a.r, a.call.Kind, body, now)
	if code == "" {
		a.update(func(c *Call) { c.Query = q })
	}
	return code
}

func (s *Server) authorized(header string) bool {
	s.mu.Lock()
	token := cmp.Or(s.token, cmp.Or(s.Token, "export-token"))
	s.mu.Unlock()
	return subtle.ConstantTimeCompare([]byte(header), []byte("Bearer "+token)) == 1
}

func (s *Server) begin(w http.ResponseWriter, r *http.Request, kind schema.Kind, body []byte, now time.Time) *answer {
	header := r.Header.Clone()
	header.Del("Authorization")
	s.mu.Lock()
	defer s.mu.Unlock()
	call := &Call{N: len(s.calls) + 1, At: now, Kind: kind, Header: header, Body: string(body)}
	s.calls = append(s.calls, call)
	s.running++
	s.mostRunning = max(s.mostRunning, s.running)
	return &answer{s: s, w: w, r: r, call: call}
}

func (s *Server) now() time.Time {
	if s.Clock == nil {
		return time.Now()
	}
	return s.Clock()
}
