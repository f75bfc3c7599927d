package limiter

import "time"

// externalUsage is what the API's rate headers say beyond our own count: calls of other clients of the service, or a smaller limit than configured.
//
// After the reset that the headers named nothing is known. Then one call asks: until it is answered no other starts.
type externalUsage struct {
	calls  int
	until  time.Time
	asking bool
}

// ask says whether a call that starts now is the one that asks.
func (u *externalUsage) ask(now time.Time) bool {
	if u.calls == 0 || u.until.After(now) {
		return false
	}
	u.asking = true
	return true
}

// learn takes what an answer says, which holds until the reset that it names. The calls of others are between least and most: which of our own
// calls under way the API had counted by then is not known. A number within these bounds stays; any other is replaced by most.
func (u *externalUsage) learn(least, most int, until time.Time) {
	if u.calls < least || u.calls > most {
		u.calls = max(0, most)
	}
	u.until = until
}

// resetIn is how long it is from now to the reset that an answer names. date is when the API's clock says that it answered; zero when unknown.
// The result is zero for a reset that is absent or past, and never longer than the window, whatever the clocks show.
func resetIn(now, reset, date time.Time) time.Duration {
	if reset.IsZero() {
		return 0
	}
	if date.IsZero() {
		date = now
	}
	d := reset.Sub(date)
	if d <= 0 {
		return 0
	}
	return min(d, window) + margin
}
