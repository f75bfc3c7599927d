package admin_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/admin"
)

// TestMetrics_SharedByScrapes: scrapes of the same format that wait at the same time share one
// view, which is taken after the last of them arrived.
func TestMetrics_SharedByScrapes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		looks := int64(0)
		release := make(chan struct{})
		handler := newServer(func(time.Time) admin.View {
			<-release
			mu.Lock()
			defer mu.Unlock()
			looks++
			v := full()
			v.Produced.Batches = looks
			return v
		}).Handler()
		seen := map[string]int{} // number of scrapes by their answer
		var scrapes sync.WaitGroup
		scrape := func(accept string) {
			scrapes.Go(func() {
				r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				r.Header.Set("Accept", accept)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, r)
				_, batches, _ := strings.Cut(w.Body.String(), "\ndfinery_produce_batches_total ")
				batches, _, _ = strings.Cut(batches, "\n")
				kind, _, _ := strings.Cut(w.Header().Get("Content-Type"), ";")
				mu.Lock()
				defer mu.Unlock()
				seen[kind+" "+batches]++
			})
			synctest.Wait()
		}
		scrape("text/plain")
		for range 5 {
			scrape("text/plain")
		}
		scrape("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited") // its answer is not parsed here
		close(release)
		scrapes.Wait()
		scrape("text/plain")
		scrapes.Wait()
		want := map[string]int{"text/plain 1": 1, "text/plain 2": 5, "application/vnd.google.protobuf ": 1, "text/plain 4": 1}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("scrapes by their view (-want +got):\n%s", diff)
		}
	})
}
