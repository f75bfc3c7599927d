package e2e

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"syscall"
	"testing"

	"dfinery-kafka/connector/exporttest"
)

// TestValues_RegistryAwayFromTheStart: while the registry has never answered, no call is made after
// the first ones: the quota must last for when it does.
func TestValues_RegistryAwayFromTheStart(t *testing.T) {
	t.Parallel()
	registry := registryURL(t)
	target, err := url.Parse(registry)
	if err != nil {
		t.Fatal(err)
	}
	const away = 30 // requests
	var requests, calls atomic.Int64
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 8, RowsPerDay: 20}})
	proxy := httputil.NewSingleHostReverseProxy(target)
	guard := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := requests.Add(1); {
		case n < away:
			w.WriteHeader(http.StatusServiceUnavailable)
		case n == away:
			calls.Store(int64(len(b.api.Calls())))
			fallthrough
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(guard.Close)
	b.unlimited()
	b.pollEvery("1h")
	b.set("STREAM_EVENTS_START", "6", "STREAM_EVENTS_FORMAT", "avro", "STREAM_EVENTS_COLUMNS", typedColumns, "SCHEMA_REGISTRY_URL", guard.URL, "DFINERY_CONCURRENT_CALLS", "2")
	p := b.start("run")
	p.await(isOwner)
	b.await("every row", func() bool { return b.countRecords() == 7*20 })
	if n := calls.Load(); n > 2 {
		t.Errorf("%d calls were made without a registry, want those that run at once, 2", n)
	}
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
	compareRows(t, newRows(b.servedTyped()...), newRows(b.publishedTyped("avro", registry)...))
}
