package limiter

import "time"

// externalUsage is the difference between the API's rate headers and our own count: calls of
// other clients of the service, or a limit smaller than configured.
//
// After the reset named by the headers the value is unknown. One call then asks for it, and no
// other starts until it is answered.
type externalUsage struct {
	calls  int
	until  time.Time
	asking bool
}

// ask reports whether a call that starts now is the one that asks.
func (u *externalUsage) ask(now time.Time) bool {
	if u.calls == 0 || u.until.After(now) {
		return false
	}
	u.asking = true
	return true
}

// learn stores what an answer says, which is valid until the reset that it names. The calls of
// others are between least and most, as it is unknown which of our own calls in flight the API
// had already counted. A number within these bounds is kept; any other is replaced by most.
func (u *externalUsage) learn(least, most int, until time.Time) {
	if u.calls < least || u.calls > most {
		u.calls = max(0, most)
	}
	u.until = until
}

// resetIn is the time from now to the reset that an answer names. date is the time of the
// answer by the API's clock; zero if unknown. The result is zero for a reset that is absent or
// past, and never longer than the window, whatever the clocks show.
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
