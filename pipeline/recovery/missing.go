package recovery

import (
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// MissingDays returns the days since oldest that the checkpoint lists for a stream but the
// ledger no longer has, each with its From.
func MissingDays(state *ledger.State, stream string, oldest schema.Day) map[schema.Day]int {
	missing := map[schema.Day]int{}
	if state.Checkpoint == nil {
		return missing // all is read back
	}
	for day, from := range state.Checkpoint.Days[stream] {
		if day >= oldest && state.Days[ledger.DayName{Stream: stream, Day: day}] == nil {
			missing[day] = from
		}
	}
	return missing
}
