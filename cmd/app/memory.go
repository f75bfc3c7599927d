package app

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// garbage is roughly how much memory the collector leaves beside what is in use, in bytes. Go's own rule, a share of what is in use, would let
// the fingerprints of the days loaded, of which a large service's memory consists, weigh twice; but they hold no pointers, so that a
// collection costs the same however many there are. A day of 20 million rows peaks at 453 MiB; with a share of 25 % it was 547.
const garbage = 12 << 20

// LimitGarbage has the process collect its garbage by that rule, unless GOGC gives another.
func LimitGarbage() {
	if _, set := os.LookupEnv("GOGC"); !set {
		afterCollection(0)
	}
}

// collected is forgotten at once, so that the next collection finds it.
type collected [64]byte

// afterCollection makes garbage the share of what the last collection found in use, and does so again after the next one.
func afterCollection(former int) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := min(400, max(1, int(100*garbage/max(1, live[0].Value.Uint64()))))
	if percent != former { // setting it stops the program for a moment
		debug.SetGCPercent(percent)
	}
	runtime.AddCleanup(new(collected), afterCollection, percent)
}
