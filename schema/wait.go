package schema

import "time"

// Reason says what a due export waits for; it is the value of waits_for in the status.
type Reason string

// What an export may wait for.
const (
	WaitPoll     Reason = "poll"
	WaitLookback Reason = "lookback"
	WaitQuota    Reason = "quota"
	WaitBreaker  Reason = "breaker"
	WaitBackoff  Reason = "backoff"
	WaitToken    Reason = "token"
	WaitHalted   Reason = "halted"
	WaitPaused   Reason = "paused"
	WaitStandby  Reason = "standby"
	WaitRegistry Reason = "registry"
)

// Wait says why no export may start now, and until when. A zero Until means: until something else ends first.
// The zero Wait means that nothing has to be waited for.
type Wait struct {
	For   Reason
	Until time.Time
}
