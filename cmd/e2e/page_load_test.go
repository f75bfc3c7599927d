package e2e

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"dfinery-kafka/connector/exporttest"
)

// TestPage_WhileRowsFlow loads the status page repeatedly while days are exported: each row is
// published once, and peak memory is about as high as without loads. PAGE_ROWS and PAGE_LOADS
// make it larger.
func TestPage_WhileRowsFlow(t *testing.T) {
	t.Parallel()
	rows, loads := number(t, "PAGE_ROWS", 9000), number(t, "PAGE_LOADS", 100)
	withoutLoads := exportWatched(t, rows, 0)
	withLoads := exportWatched(t, rows, loads)
	t.Logf("%d rows: %d KiB without, %d KiB with %d loads of the page", rows, withoutLoads>>10, withLoads>>10, loads)
	const slack = 24 << 20 // peak memory differs between runs because of garbage collection
	if withLoads > withoutLoads+slack {
		t.Errorf("peak memory %d KiB with %d loads of the page, %d KiB without", withLoads>>10, loads, withoutLoads>>10)
	}
}

// exportWatched exports three days while the page is loaded, and returns the program's peak memory.
func exportWatched(t *testing.T, rows, loads int) int64 {
	t.Helper()
	const days = 3
	b := newTestbed(t, &exporttest.Server{Data: exporttest.Data{Seed: 9, RowsPerDay: rows / days, Duplicates: 0.01}})
	b.pollEvery("1h")
	b.withAdminServer()
	p := b.start("run")
	peak := p.peakMemory()
	load(t, p.admin(), loads)
	p.awaitMore(exported, days-1)
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
	b.compareEvents()
	return <-peak
}

// load loads the page with four concurrent clients.
func load(t *testing.T, admin adminClient, loads int) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(loads))
	var people sync.WaitGroup
	for range 4 {
		people.Go(func() {
			for left.Add(-1) >= 0 {
				if code, page := admin.get("/"); code != http.StatusOK || !strings.HasSuffix(strings.TrimSpace(page), "</html>") || len(page) > 100<<10 {
					t.Errorf("the page: status %d, %d bytes", code, len(page))
					return
				}
			}
		})
	}
	people.Wait()
}
