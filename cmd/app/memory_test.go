package app

import (
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGarbageDoesNotGrowWithWhatIsInUse(t *testing.T) {
	t.Setenv("GOGC", "") // so that it is restored
	os.Unsetenv("GOGC")
	used := make([]byte, 256<<20)
	LimitGarbage()
	most := func() uint64 { // the garbage at which the next collection ends
		heap := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/heap/live:bytes"}}
		metrics.Read(heap)
		return heap[0].Value.Uint64() - heap[1].Value.Uint64()
	}
	for tries := 0; ; tries++ {
		runtime.GC()
		if n := most(); n <= garbage*5/4 {
			break
		} else if tries == 1000 {
			t.Fatalf("with %d MiB in use the collector leaves %d MiB of garbage, after all collections", len(used)>>20, n>>20)
		}
		time.Sleep(10 * time.Millisecond) // until the cleanup of the collection has run
	}
	runtime.KeepAlive(used)
}
