package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// garbage is roughly how much garbage may accumulate before a collection, in bytes. Go's own
// rule, a percentage of the live heap, would let the fingerprints of loaded days, which
// dominate the memory of a large service, count twice. They contain no pointers, so that a
// collection costs the same however many there are. A day of 20 million rows peaks at 453 MiB;
// with GOGC=25 it was 547.
const garbage = 12 << 20

// LimitGarbage applies that rule to the process, unless GOGC is set.
func LimitGarbage() {
	if _, set := os.LookupEnv("GOGC"); !set {
		afterCollection(0)
	}
}

// collected is unreachable at once, so that the next collection runs its finalizer.
type collected [64]byte

// afterCollection sets GOGC so that garbage is the corresponding share of the live heap, and
// repeats that after each collection.
func afterCollection(former int) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := min(400, max(1, int(100*garbage/max(1, live[0].Value.Uint64()))))
	if percent != former { // setting it stops the program for a moment
		debug.SetGCPercent(percent)
	}
	runtime.AddCleanup(new(collected), afterCollection, percent)
}
