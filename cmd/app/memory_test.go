package app

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"testing"
	"time"
)

// alone is set for a process of the test binary that runs only one test, whose settings of the
// garbage collector would affect the others.
const alone = "DFINERY_KAFKA_ALONE"

func TestMain(m *testing.M) {
	if os.Getenv(alone) == "" {
		debug.SetGCPercent(400) // the simulations allocate much and keep little
	}
	os.Exit(m.Run())
}

func TestMemory_Garbage(t *testing.T) {
	if os.Getenv(alone) == "" {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
		cmd.Env = []string{alone + "=1"} // without GOGC
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	used := make([]byte, 256<<20)
	LimitGarbage()
	most := func() uint64 { // the garbage at which the next collection starts
		heap := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}, {Name: "/gc/heap/live:bytes"}}
		metrics.Read(heap)
		return heap[0].Value.Uint64() - heap[1].Value.Uint64()
	}
	for tries := 0; ; tries++ {
		runtime.GC()
		if n := most(); n <= garbage*5/4 {
			break
		} else if tries == 1000 {
			t.Fatalf("with %d MiB in use the collector allows %d MiB of garbage", len(used)>>20, n>>20)
		}
		time.Sleep(10 * time.Millisecond) // until the cleanup after the collection has run
	}
	runtime.KeepAlive(used)
}
