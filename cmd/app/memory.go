package app

import (
	"os"
	"runtime/debug"
)

// garbagePercent bounds what the collector lets stand beside what is in use. Go's own 100 would let the fingerprints of the days
// loaded, of which a large service's memory consists, weigh twice. They hold no pointers, so a collection is cheap: exporting a
// million new rows peaks at 69 MiB instead of 88, for 0.05 s more of processor time.
const garbagePercent = 25

// LimitGarbage sets the collector's limit for the process, unless GOGC does.
func LimitGarbage() {
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(garbagePercent)
	}
}
