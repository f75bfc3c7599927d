package admin

import (
	"bytes"
	"net/http"
)

// inTurn lets at most n requests into the handler at once. Its answer is held back until it is whole, so that a client that reads
// slowly holds up nobody.
func inTurn(h http.Handler, n int) http.Handler {
	turns := make(chan struct{}, n)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case turns <- struct{}{}:
		case <-r.Context().Done():
			return
		}
		page := page{header: w.Header(), code: http.StatusOK}
		func() {
			defer func() { <-turns }()
			h.ServeHTTP(&page, r)
		}()
		w.WriteHeader(page.code)
		_, _ = w.Write(page.body.Bytes()) // a client that has gone needs no answer
	})
}

// page is an answer in memory.
type page struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (p *page) Header() http.Header         { return p.header }
func (p *page) WriteHeader(code int)        { p.code = code }
func (p *page) Write(b []byte) (int, error) { return p.body.Write(b) }
