package e2e

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// TestAPI_TLSAndProxies exports through TLS with a private CA, HTTP/2 and proxies, which the
// standard variables configure. Failures on the way to the API have a dead letter, and no other
// host receives the token or the proxy's password.
func TestAPI_TLSAndProxies(t *testing.T) {
	t.Parallel()
	type route struct {
		testbed *testbed
		ca      *authority
		server  *httptest.Server
		proxy   *tunnel
	}
	viaProxy := func(w *route, user string) {
		proxy := httptest.NewServer(w.proxy)
		t.Cleanup(proxy.Close)
		w.testbed.environ["DFINERY_BASE_URL"], w.testbed.environ["HTTPS_PROXY"] = "https://api.dfinery.test", "http://"+user+proxy.Listener.Addr().String()
	}
	tests := map[string]struct {
		http2, expired bool
		set            func(*route)
		proto          []string // of the requests to the API; empty: none
		proxied        []string
		letter, says   string
	}{
		"a private CA":  {proto: []string{"HTTP/1.1"}},
		"HTTP/2":        {http2: true, proto: []string{"HTTP/2.0"}},
		"an unknown CA": {letter: "tls", says: "unknown authority", set: func(w *route) { delete(w.testbed.environ, "SSL_CERT_FILE") }},
		"expired":       {letter: "tls", says: "expired", expired: true},
		"another's name": {letter: "tls", says: "localhost", set: func(w *route) {
			w.testbed.environ["DFINERY_BASE_URL"] = strings.Replace(w.server.URL, "127.0.0.1", "localhost", 1)
		}},
		"plain to TLS": {letter: "http_400", says: "400", set: func(w *route) {
			w.testbed.environ["DFINERY_BASE_URL"] = strings.Replace(w.server.URL, "https", "http", 1)
		}},
		"a proxy":         {http2: true, proto: []string{"HTTP/2.0"}, proxied: []string{"CONNECT api.dfinery.test:443 "}, set: func(w *route) { viaProxy(w, "") }},
		"a proxy's login": {proto: []string{"HTTP/1.1"}, proxied: []string{"CONNECT api.dfinery.test:443 "}, set: func(w *route) { w.proxy.password = canary; viaProxy(w, "me:"+canary+"@") }},
		"no login":        {letter: "connection", says: "Proxy Authentication Required", proxied: []string{"CONNECT api.dfinery.test:443 "}, set: func(w *route) { w.proxy.password = "other"; viaProxy(w, "me:"+canary+"@") }},
		"a dead proxy": {letter: "connection", says: "refused", set: func(w *route) {
			viaProxy(w, "")
			w.testbed.environ["HTTPS_PROXY"] = "http://" + clustertest.ClosedPort(t)
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := &route{testbed: newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 81, RowsPerDay: 500}}), ca: newAuthority(t)}
			var protos journal
			until := time.Now().Add(time.Hour)
			if test.expired {
				until = time.Now().Add(-time.Hour)
			}
			w.server = w.ca.serve(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
				protos.note(r.Proto)
				w.testbed.api.ServeHTTP(out, r)
			}), test.http2, until)
			w.proxy = &tunnel{to: w.server.Listener.Addr().String()}
			w.testbed.environ["DFINERY_BASE_URL"], w.testbed.environ["SSL_CERT_FILE"], w.testbed.environ["BREAKER_FAILURES"] = w.server.URL, w.ca.file, "2"
			if test.set != nil {
				test.set(w)
			}
			_, got := w.testbed.run("run", "--once")
			if diff := cmp.Diff(test.proto, protos.list()); diff != "" {
				t.Errorf("requests to the API (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.proxied, w.proxy.journal.list()); diff != "" {
				t.Errorf("requests to the proxy (-want +got):\n%s", diff)
			}
			w.testbed.checkEnd(got, test.letter, test.says)
		})
	}
}

// TestAPI_Redirects: only redirects that keep method, scheme and host are followed, so that the
// token is not sent to another host.
func TestAPI_Redirects(t *testing.T) {
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
			b, ca := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 82, RowsPerDay: 200}}), newAuthority(t)
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
			b.checkEnd(got, test.letter, "")
		})
	}
	t.Cleanup(func() {
		if seen := elsewhere.list(); len(seen) > 0 {
			t.Errorf("another server received requests: %q", seen)
		}
	})
}

// checkEnd checks a run that either published all rows or, with a dead letter, none.
func (b *testbed) checkEnd(got result, letter, says string) {
	b.t.Helper()
	code := 0
	if letter != "" {
		code = 3
	}
	if got.Code != code {
		b.t.Errorf("exit %d, want %d", got.Code, code)
	}
	expectText(b.t, got.Stderr, says)
	var want []schema.Code
	if letter != "" {
		want = []schema.Code{schema.Code(letter)}
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(b.deadLettersByCode()))); diff != "" {
		b.t.Errorf("dead letters (-want +got):\n%s", diff)
	}
	if letter == "" {
		b.compareEvents()
	} else if rows := b.published("events"); len(rows) > 0 {
		b.t.Errorf("published %v", rows)
	}
	if b.t.Failed() {
		b.t.Log(got.Stderr)
	}
}
