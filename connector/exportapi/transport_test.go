package exportapi_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// verdict has the classification of a transport's failure.
type verdict struct {
	Code  schema.Code
	Class schema.Class
	Rows  int64
}

func verdictOf(f *schema.Failure) *verdict {
	if f == nil {
		return nil
	}
	return &verdict{f.Code, f.Class, f.Request.Rows}
}

func TestRedirect(t *testing.T) {
	var elsewhere atomic.Int32
	other := serve(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	var bodies []string
	here := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.Method+" "+r.Header.Get("Authorization")+" "+string(body))
		to, status := r.URL.Query().Get("to"), 0
		if fmt.Sscan(r.URL.Query().Get("status"), &status); status == 0 {
			to, status = "/loop?"+r.URL.RawQuery, 308
		}
		if r.URL.Path == "/rows" {
			io.WriteString(w, "id\n1\n")
			return
		}
		w.Header().Set("Location", to)
		w.WriteHeader(status)
	}))
	for _, c := range []struct {
		name   string
		status int
		to     string
		want   *verdict
		calls  int
	}{
		{"308 to the same host", 308, "/rows", nil, 2},
		{"307 to the same host, absolute", 307, here + "/rows", nil, 2},
		{"302 to the same host", 302, "/rows", &verdict{Code: schema.Redirect}, 1},
		{"308 to another host", 308, other + "/rows", &verdict{Code: schema.Redirect}, 1},
		{"308 to another scheme", 308, strings.Replace(here, "http://", "https://", 1), &verdict{Code: schema.Redirect}, 1},
		{"308 to another scheme and host", 308, "//" + strings.TrimPrefix(other, "http://") + "/rows", &verdict{Code: schema.Redirect}, 1},
		{"308 to nowhere", 308, "%zz", &verdict{Code: schema.Redirect}, 1},
		{"308 in a circle", 0, "", &verdict{Code: schema.Redirect}, 4},
		{"308 without a place", 308, "", &verdict{Code: "http_308"}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			bodies = nil
			api := client(here)
			api.Transport = transportFunc(func(r *http.Request) (*http.Response, error) {
				if len(bodies) == 0 {
					r.URL.RawQuery += "&status=" + fmt.Sprint(c.status) + "&to=" + url.QueryEscape(c.to)
				}
				return http.DefaultTransport.RoundTrip(r)
			})
			got := run(t, api, export(t))
			if diff := cmp.Diff(c.want, verdictOf(got.Failure)); diff != "" {
				t.Error(diff)
			}
			for _, body := range bodies {
				if body != bodies[0] || !strings.HasPrefix(body, "POST Bearer "+token+" {") {
					t.Errorf("sent %s, then %s", bodies[0], body)
				}
			}
			if len(bodies) != c.calls || elsewhere.Load() != 0 {
				t.Errorf("%d calls, %d elsewhere", len(bodies), elsewhere.Load())
			}
		})
	}
}

type transportFunc func(*http.Request) (*http.Response, error)

func TestConnectionFailures(t *testing.T) {
	secure := httptest.NewUnstartedServer(answer(200, "", "id\n"))
	secure.Config.ErrorLog = nil
	secure.StartTLS()
	defer secure.Close()
	old := httptest.NewUnstartedServer(answer(200, "", "id\n"))
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	plain := serve(t, answer(200, "", "id\n"))
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone.Close()
	for _, c := range []struct {
		name, url string
		want      verdict
	}{
		{"unknown authority", secure.URL, verdict{Code: schema.TLS}},
		{"old TLS", old.URL, verdict{Code: schema.TLS}},
		{"no TLS", strings.Replace(plain, "http://", "https://", 1), verdict{Code: schema.TLS}},
		{"nobody listens", "http://" + gone.Addr().String(), verdict{Code: schema.Connection}},
		{"no address", "nonsense", verdict{Code: schema.Connection}},
		{"closed without an answer", rawServer(t, func() []byte { return nil }), verdict{Code: schema.Connection}},
		{"no HTTP", rawServer(t, func() []byte { return []byte("SSH-2.0-OpenSSH_9.6\r\n") }), verdict{Code: schema.Connection}},
		{"headers of 10 MB", rawServer(t, func() []byte {
			return []byte("HTTP/1.1 200 OK\r\nX-Large: " + strings.Repeat("x", 10<<20) + "\r\n\r\nid\n")
		}), verdict{Code: schema.Connection}},
		{"another encoding", serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "br")
			w.Write([]byte("\x0b\x01\x80id\n\x03"))
		})), verdict{Code: schema.NotCSV}},
		{"no gzip", serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte("\x78\x9c\x01 something else than gzip"))
		})), verdict{Code: schema.NotCSV}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, client(c.url), export(t))
			if diff := cmp.Diff(&c.want, verdictOf(got.Failure)); diff != "" || got.Failure.Origin != schema.OriginTransport {
				t.Errorf("%s %+v", diff, got.Failure)
			}
		})
	}
}

// TestClose: Close returns at once even if much of the body is left, and can be called twice.
func TestClose(t *testing.T) {
	ended := make(chan struct{})
	api := client(serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		io.WriteString(w, "id\n")
		for {
			if _, err := io.WriteString(w, strings.Repeat("1\n", 4<<10)); err != nil {
				return
			}
		}
	})))
	body, err := api.Export(t.Context(), export(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := body.Next(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := body.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	<-ended
	for err = nil; err == nil; _, err = body.Next() {
	}
	var f *schema.Failure
	if !errors.As(err, &f) || f.Class != schema.Cancelled {
		t.Errorf("after Close: %v", err)
	}
}
