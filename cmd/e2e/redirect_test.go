package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestRedirects: only one that keeps method, scheme and host is followed, so that the token goes nowhere else.
func TestRedirects(t *testing.T) {
	t.Parallel()
	var elsewhere journal
	note := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere.note(r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization"))
	})
	other := httptest.NewServer(note)
	t.Cleanup(other.Close)
	tests := map[string]struct {
		status int
		to     func(own string) string
		letter string
	}{
		"to itself":              {http.StatusPermanentRedirect, func(own string) string { return own + "/moved/api/v1/export/event?service_id=1234" }, ""},
		"to another host":        {http.StatusTemporaryRedirect, func(string) string { return other.URL }, "redirect"},
		"to http":                {http.StatusTemporaryRedirect, func(own string) string { return strings.Replace(own, "https", "http", 1) }, "redirect"},
		"to another port":        {http.StatusPermanentRedirect, func(string) string { return other.URL + "/api/v1/export/event" }, "redirect"},
		"that loses the request": {http.StatusFound, func(own string) string { return own + "/moved" }, "redirect"},
		"in a circle":            {http.StatusTemporaryRedirect, func(string) string { return "/api/v1/export/event?service_id=1234" }, "redirect"},
		"to a file":              {http.StatusTemporaryRedirect, func(string) string { return "file:///etc/passwd" }, "redirect"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, ca := newBench(t, &exporttest.Server{Data: exporttest.Data{Seed: 82, RowsPerDay: 200}}), newAuthority(t)
			var server *httptest.Server
			server = ca.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/moved") {
					http.StripPrefix("/moved", b.api).ServeHTTP(w, r)
					return
				}
				w.Header().Set("Location", test.to(server.URL))
				w.WriteHeader(test.status)
			}), false, time.Now().Add(time.Hour))
			b.environ["DFINERY_BASE_URL"], b.environ["SSL_CERT_FILE"], b.environ["BREAKER_FAILURES"] = server.URL, ca.file, "2"
			_, got := b.run("run", "--once")
			b.ended(got, test.letter, "")
		})
	}
	t.Cleanup(func() {
		if seen := elsewhere.list(); len(seen) > 0 {
			t.Errorf("another server was asked: %q", seen)
		}
	})
}
