package pipeline

import (
	"encoding/json"
	"time"

	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// Source makes export calls.
type Source interface {
	// Reserve grants one export call now, or returns what to wait for. It grants only
	// if the quota for spare further calls remains free. A permit counts as a call made
	// at now until it is cancelled.
	Reserve(now time.Time, spare int) (Permit, schema.Wait)
	// State is the source's state (calls of the last hour, breaker). It is stored in
	// the ledger and passed to the source's constructor after a restart.
	State() json.RawMessage
	// LineEnds is what the source has learned about how bodies end. It is stored like
	// State.
	LineEnds() json.RawMessage
	// RetryToken lets the next call retry a refused token, without waiting.
	RetryToken(now time.Time)
	// Accepts reports whether an answer with this kind of cut is now accepted as
	// complete.
	Accepts(schema.Cut) bool
}

// Permit allows one call, and says what the call is for.
type Permit interface {
	transfer.Permit
	// Probe reports whether the call probes if the source has recovered. The smallest
	// export that is due is the best one to use.
	Probe() bool
}
