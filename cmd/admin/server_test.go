package admin_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/admin"
	"dfinery-kafka/pipeline"
)

func sorted(list []string) []string { return slices.Sorted(slices.Values(list)) }

// started starts a server and returns its address.
func started(t *testing.T, s *admin.Server) string {
	t.Helper()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		s.Close(ctx)
	})
	return s.Address()
}

func TestPaths(t *testing.T) {
	t.Parallel()
	hangs, waits := full(), full()
	hangs.Pipeline.Turned = noon.Add(-time.Hour)
	waits.Pipeline.Role = pipeline.RoleWaiting
	waits.Pipeline.Reasons = []string{"no broker"}
	standby, stopping := full(), full()
	standby.Pipeline.Role = pipeline.RoleStandby
	standby.Source.Token.Refused = true // from an earlier ownership
	stopping.Pipeline.Role = pipeline.RoleStandby
	stopping.Stopping = true
	pprof := newServer(of(full()))
	pprof.Pprof = true
	type answer struct {
		Code int
		Body string
	}
	for _, test := range []struct {
		name   string
		server *admin.Server
		path   string
		want   answer
	}{
		{"alive", newServer(of(full())), "/livez", answer{200, "ok\n"}},
		{"alive without Kafka", newServer(of(waits)), "/livez", answer{200, "ok\n"}},
		{"hangs", newServer(of(hangs)), "/livez", answer{503, "the loop has not turned since 2026-11-23T11:00:00Z\n"}},
		{"ready", newServer(of(full())), "/readyz", answer{200, `{"ready":true,"parts":[{"name":"owner","ready":true},{"name":"ledger","ready":true},` +
			`{"name":"kafka","ready":true},{"name":"token","ready":true},{"name":"process","ready":true}]}` + "\n"}},
		{"not ready", newServer(of(waits)), "/readyz", answer{503, `{"ready":false,"parts":[{"name":"owner","ready":false,"reason":"the service is not taken over yet"},` +
			`{"name":"ledger","ready":false,"reason":"the ledger is not restored"},{"name":"kafka","ready":false,"reason":"no broker"},` +
			`{"name":"token","ready":true},{"name":"process","ready":true}]}` + "\n"}},
		{"ready as a standby", newServer(of(standby)), "/readyz?standby=ok", answer{200, `{"ready":true,"parts":[{"name":"kafka","ready":true},{"name":"process","ready":true}]}` + "\n"}},
		{"a standby that ends", newServer(of(stopping)), "/readyz?standby=ok", answer{503, `{"ready":false,"parts":[{"name":"kafka","ready":true},` +
			`{"name":"process","ready":false,"reason":"shutting down"}]}` + "\n"}},
		{"neither owner nor standby", newServer(of(waits)), "/readyz?standby=ok", answer{503, `{"ready":false,"parts":[{"name":"owner","ready":false,"reason":"the service is not taken over yet"},` +
			`{"name":"ledger","ready":false,"reason":"the ledger is not restored"},{"name":"kafka","ready":false,"reason":"no broker"},` +
			`{"name":"token","ready":true},{"name":"process","ready":true}]}` + "\n"}},
		{"unknown", newServer(of(full())), "/nothing", answer{404, "404 page not found\n"}},
		{"no profiles", newServer(of(full())), "/debug/pprof/cmdline", answer{404, "404 page not found\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got answer
			got.Code, got.Body = ask(test.server, test.path)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", test.path, diff)
			}
		})
	}
	if code, body := ask(pprof, "/debug/pprof/"); code != 200 || !strings.Contains(body, "goroutine") {
		t.Errorf("with profiles: %d %s", code, body)
	}
}

func TestPortInUse(t *testing.T) {
	t.Parallel()
	address := started(t, newServer(of(full())))
	second := newServer(of(full()))
	second.Addr = address
	err := second.Start(t.Context())
	if err == nil || !strings.Contains(err.Error(), "admin server: listen tcp "+address) || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("a second server on %s: %v", address, err)
	}
	second.Close(t.Context()) // Close of a server that did not start
}

// TestServer_SlowClients: a thousand scrapes get complete answers while two hundred slow
// clients keep their connections open.
func TestServer_SlowClients(t *testing.T) {
	t.Parallel()
	address := started(t, newServer(of(full())))
	var dialer net.Dialer
	for i := range 200 {
		c, err := dialer.DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		request := "GET /metrics HTTP/1.1\r\nHost: x\r\n" // an incomplete request
		if i%2 == 0 {
			request += "\r\n" // a request whose answer is not read
		}
		if _, err := fmt.Fprint(c, request); err != nil {
			t.Fatal(err)
		}
	}
	var scrapes sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 30 * time.Second}
	for range 1000 {
		scrapes.Go(func() {
			text := "failed"
			if answer, err := client.Get("http://" + address + "/metrics"); err == nil {
				text = ownMetrics(read(t, answer.Body))
			}
			mu.Lock()
			defer mu.Unlock()
			seen[text]++
		})
	}
	scrapes.Wait()
	_, alone := ask(newServer(of(full())), "/metrics")
	if diff := cmp.Diff(map[string]int{ownMetrics(alone): 1000}, seen); diff != "" {
		t.Errorf("counts of answers (-want +got):\n%s", diff)
	}
}

func TestHugeHeader(t *testing.T) {
	t.Parallel()
	address := started(t, newServer(of(full())))
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "GET /livez HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", strings.Repeat("x", 64<<10)); err != nil {
		t.Logf("the connection was closed during the request: %v", err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 431 ") {
		t.Errorf("answer to a header of 64 KiB: %q %v", line, err)
	}
}
