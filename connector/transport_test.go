package connector_test

import (
	"context"
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
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/schema"
)

// verdict is what tells failures of the transport apart.
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

func (f transportFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

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
			w.Write([]byte("id\n"))
		})), verdict{Code: schema.NotCSV}},
		{"no gzip", serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write([]byte("id\n1\nlong enough for a header\n"))
		})), verdict{Code: schema.CutBody}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := run(t, client(c.url), export(t))
			if diff := cmp.Diff(&c.want, verdictOf(got.Failure)); diff != "" || got.Failure.Origin != schema.OriginTransport {
				t.Errorf("%s %+v", diff, got.Failure)
			}
		})
	}
}

// step is a piece of a body and how long it takes to come.
type step struct {
	after time.Duration
	piece string
}

// slow is a transport whose answers take their time, in a bubble of synctest.
type slow struct {
	headers time.Duration
	status  int
	steps   []step
}

func (s slow) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := wait(r.Context(), s.headers); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: s.status, Status: fmt.Sprint(s.status), Header: http.Header{}, ContentLength: -1, ProtoMajor: 2,
		Body: &slowBody{s.steps, r.Context()}}, nil
}

type slowBody struct {
	steps []step
	ctx   context.Context // of the request, as a transport's body keeps it
}

func (b *slowBody) Read(p []byte) (int, error) {
	if len(b.steps) == 0 {
		return 0, io.EOF
	}
	if err := wait(b.ctx, b.steps[0].after); err != nil {
		return 0, err
	}
	n := copy(p, b.steps[0].piece)
	b.steps = b.steps[1:]
	return n, nil
}

func (b *slowBody) Close() error { return nil }

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

func TestTimeouts(t *testing.T) {
	const header, idle, never = 10 * time.Second, 3 * time.Second, 1000 * time.Hour
	for _, c := range []struct {
		name  string
		slow  slow
		pause time.Duration // of the consumer between rows
		want  *verdict
		took  time.Duration
	}{
		{"no headers", slow{headers: never}, 0, &verdict{Code: schema.Timeout}, header},
		{"no first line", slow{status: 200, steps: []step{{time.Second, "i"}, {4 * time.Second, "d"}, {never, "\n"}}}, 0, &verdict{Code: schema.Timeout}, header},
		{"a slow first line", slow{status: 200, headers: 4 * time.Second, steps: []step{{5 * time.Second, "id\n"}}}, 0, nil, 9 * time.Second},
		{"a silent body", slow{status: 200, steps: []step{{time.Second, "id\n1\n"}, {2 * time.Second, "2\n"}, {never, "3\n"}}}, 0, &verdict{Code: schema.Timeout, Rows: 2}, 6 * time.Second},
		{"a long download", slow{status: 200, steps: append([]step{{0, "id\n"}}, many(1000, step{2 * time.Second, "1\n"})...)}, 0, nil, 2000 * time.Second},
		{"a slow consumer", slow{status: 200, steps: []step{{0, "id\n"}, {time.Second, "1\n"}, {time.Second, "2\n"}}}, time.Hour, nil, 2*time.Hour + 2*time.Second},
		{"a failure that does not end", slow{status: 500, steps: []step{{time.Second, `{"result":`}, {time.Second, ""}, {never, ""}}}, 0, &verdict{Code: "http_500"}, 4 * time.Second},
		{"a whole failure that does not end", slow{status: 401, steps: []step{{time.Second, `{"result":"fail","message":"unauthorized_token"}`}, {never, ""}}}, 0,
			&verdict{Code: schema.UnauthorizedToken, Class: schema.Unauthorized}, 4 * time.Second},
		{"JSON with 200 that does not end", slow{status: 200, steps: []step{{time.Second, `{"resu`}, {never, ""}}}, 0, &verdict{Code: schema.Timeout}, 4 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := client("http://api.example")
				api.Transport, api.HeaderTimeout, api.IdleTimeout = c.slow, header, idle
				started := time.Now()
				var failure *schema.Failure
				body, err := api.Export(t.Context(), export(t))
				if err == nil {
					for ; err == nil; _, err = body.Next() {
						if body.Rows() > 0 {
							time.Sleep(c.pause)
						}
					}
					body.Close()
				}
				if errors.As(err, &failure) != (c.want != nil) {
					t.Errorf("ended with %v", err)
				}
				if diff := cmp.Diff(c.want, verdictOf(failure)); diff != "" {
					t.Error(diff)
				}
				if took := time.Since(started); took != c.took {
					t.Errorf("took %s, not %s", took, c.took)
				}
				if c.want != nil && c.want.Code == schema.Timeout && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v is no timeout", err)
				}
			})
		})
	}
}

func many(n int, s step) []step {
	steps := make([]step, n)
	for i := range steps {
		steps[i] = s
	}
	return steps
}

// A call that we end ourselves says so, at whatever moment, and whatever the cause that the context names.
func TestCancel(t *testing.T) {
	for name, s := range map[string]slow{
		"before the headers":    {headers: time.Hour, status: 200},
		"before the first line": {status: 200, steps: []step{{time.Hour, ""}}},
		"in the body":           {status: 200, steps: []step{{0, "id\n1\n"}, {time.Hour, ""}}},
		"in a failure":          {status: 200, steps: []step{{0, "{"}, {time.Hour, ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api := client("http://api.example")
				api.Transport, api.HeaderTimeout, api.IdleTimeout = s, 2*time.Hour, 2*time.Hour
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(errors.New("the lease is lost")) })
				f := runCtx(ctx, t, api, export(t)).Failure
				if f == nil || f.Class != schema.Cancelled {
					t.Errorf("failure %+v", f)
				}
			})
		})
	}
}

// Close lets go of a body at once, however much is left, and twice is as good as once.
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
