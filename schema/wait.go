package schema

import "time"

// Reason is what a due export waits for: the value of waits_for in the status.
type Reason string

// The reasons to wait.
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

// Wait is why no export may start now, and until when. A zero Until means: until something else
// ends. The zero Wait means that there is no need to wait.
type Wait struct {
	For   Reason
	Until time.Time
}
