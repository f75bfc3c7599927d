package pipeline

import (
	"context"
	"encoding/json"
	"time"

	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Source is where exports come from.
type Source interface {
	// Reserve grants one export call now, or says what to wait for. It grants only if
	// spare further calls stay free in the quota's window. A permit counts as a call
	// made at now, until it is cancelled.
	Reserve(now time.Time, spare int) (Permit, schema.Wait)
	// State is the source's memory (calls of the last hour, breaker). It is kept in the
	// ledger and given back to the source's constructor after a restart.
	State() json.RawMessage
	// LineEnds is what it has learned of the ends of bodies, kept like State.
	LineEnds() json.RawMessage
	// RetryToken has a refused token tried again with the next call, rather than when
	// its wait is over.
	RetryToken(now time.Time)
	// Accepts reports whether an answer with that kind of cut is accepted as complete now.
	Accepts(schema.Cut) bool
}

// Permit is the right to make one call. It ends with Export or Cancel.
type Permit interface {
	// Export makes the call and returns its body once the header line was read. Any
	// other outcome is a *schema.Failure.
	Export(context.Context, schema.Export) (transfer.Body, error)
	// Probe reports whether the call checks if the source has recovered: the smallest
	// export that is due serves best.
	Probe() bool
	// Cancel gives the permit back unused.
	Cancel()
}
