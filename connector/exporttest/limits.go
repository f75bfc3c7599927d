package exporttest

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Limits limits the calls of a service. The zero value has the documented limits.
type Limits struct {
	PerHour int // calls in any hour, a moving window; 0 means 100, negative no limit
	AtOnce  int // concurrent calls; 0 means 5, negative no limit

	Others       func(now time.Time) int // calls of other clients of the service in the hour before now
	RefusedCount bool                    // a call answered with 429 uses quota, too
	FailedFree   bool                    // a call that does not end in a complete CSV uses no quota

	Headers     RateHeaders
	ResetMillis bool // the reset header is a Unix time in milliseconds, not seconds
	RetryAfter  bool // a 429 has Retry-After, in seconds
}

// RateHeaders is one of the two spellings of the rate headers in the API's guide.
type RateHeaders int

// The spellings.
const (
	Dashed RateHeaders = iota // X-Rate-Limit-Remaining
	Joined                    // x-ratelimit-remaining, sent in lower case
	Absent
)

// window has the calls that use quota. It is guarded by the server's lock.
type window struct {
	uses   []use // by time
	active int
}

type use struct {
	call int
	at   time.Time
}

// admit reports whether one more call may run, and registers it.
func (w *window) admit(l *Limits, call int, now time.Time) bool {
	w.uses = slices.DeleteFunc(w.uses, func(u use) bool { return now.Sub(u.at) >= time.Hour })
	perHour, atOnce := cmp.Or(l.PerHour, 100), cmp.Or(l.AtOnce, 5)
	fits := (perHour < 0 || w.used(l, now) < perHour) && (atOnce < 0 || w.active < atOnce)
	if fits || l.RefusedCount {
		w.uses = append(w.uses, use{call, now})
	}
	if fits {
		w.active++
	}
	return fits
}

// end ends an admitted call.
func (w *window) end(l *Limits, call int, failed bool) {
	w.active--
	if failed && l.FailedFree {
		w.uses = slices.DeleteFunc(w.uses, func(u use) bool { return u.call == call })
	}
}

func (w *window) used(l *Limits, now time.Time) int {
	n := len(w.uses)
	if l.Others != nil {
		n += l.Others(now)
	}
	return n
}

// reset is when the oldest use leaves the window.
func (w *window) reset(now time.Time) time.Time {
	if len(w.uses) == 0 {
		return now.Add(time.Hour)
	}
	return w.uses[0].at.Add(time.Hour)
}

// headers sets the rate headers. The period, 1H, is the value of Limit in the guide.
func (w *window) headers(l *Limits, h http.Header, now time.Time, refused bool) {
	reset := w.reset(now)
	if refused && l.RetryAfter {
		h.Set("Retry-After", strconv.Itoa(int((reset.Sub(now)+time.Second-1)/time.Second)))
	}
	perHour := cmp.Or(l.PerHour, 100)
	if perHour < 0 {
		return
	}
	remaining := strconv.Itoa(max(0, perHour-w.used(l, now)))
	at := strconv.FormatInt(reset.Unix(), 10)
	if l.ResetMillis {
		at = strconv.FormatInt(reset.UnixMilli(), 10)
	}
	switch l.Headers {
	case Dashed:
		h["X-Rate-Limit-Limit"], h["X-Rate-Limit-Remaining"], h["X-Rate-Limit-Reset"] = []string{"1H"}, []string{remaining}, []string{at}
	case Joined: // as map entries: Set would change their case
		h["x-ratelimit-limit"], h["x-ratelimit-remaining"], h["x-ratelimit-reset"] = []string{"1H"}, []string{remaining}, []string{at}
	}
}
