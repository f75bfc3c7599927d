package admin

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"sync"
)

// shared is a handler that computes one response for all waiting requests: for any
// number of concurrent requests at most twice. The response is buffered, so that slow
// clients do not block others.
type shared struct {
	handler http.Handler

	turn chan struct{} // full while a response is computed

	mu   sync.Mutex
	next map[string]*sharedResponse // by Accept header; responses not yet begun, which later requests may share
}

func share(h http.Handler) *shared {
	return &shared{handler: h, turn: make(chan struct{}, 1), next: map[string]*sharedResponse{}}
}

// ServeHTTP implements http.Handler.
func (s *shared) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Accept") + "\n" + r.Header.Get("Accept-Encoding")
	s.mu.Lock()
	p := s.next[key]
	mine := p == nil
	if mine {
		p = &sharedResponse{header: http.Header{}, code: http.StatusOK, whole: make(chan struct{})}
		s.next[key] = p
	}
	s.mu.Unlock()
	if mine {
		s.make(p, key, r)
	}
	select {
	case <-p.whole:
	case <-r.Context().Done():
		return
	}
	maps.Copy(w.Header(), p.header)
	w.WriteHeader(p.code)
	_, _ = w.Write(p.body.Bytes()) // the client may have disconnected
}

// make computes the response, also for other requests: it does not end with r.
func (s *shared) make(p *sharedResponse, key string, r *http.Request) {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.mu.Lock()
	delete(s.next, key) // later requests need a newer response
	s.mu.Unlock()
	defer close(p.whole)
	s.handler.ServeHTTP(p, r.WithContext(context.WithoutCancel(r.Context())))
}

// sharedResponse is a buffered response. It is written until whole is closed, and only
// read afterwards.
type sharedResponse struct {
	header http.Header
	code   int
	body   bytes.Buffer
	whole  chan struct{}
}

func (p *sharedResponse) Header() http.Header         { return p.header }
func (p *sharedResponse) WriteHeader(code int)        { p.code = code }
func (p *sharedResponse) Write(b []byte) (int, error) { return p.body.Write(b) }
