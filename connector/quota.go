package connector

import (
	"slices"
	"sort"
	"time"

	"dfinery-kafka/schema"
)

const (
	// window is the moving period in which the API allows a number of calls: its guide's "Rate limit".
	window = time.Hour
	// margin lengthens each wait for the quota: a call reaches the API a little after it was counted here, and a reset is named in whole seconds.
	margin = time.Second
)

// quota counts the calls of one service in the last hour, and those under way.
type quota struct {
	limit      int
	concurrent int

	calls    []counted // by time
	begun    int
	inFlight int

	others others
}

// counted is a call in the window.
type counted struct {
	at       time.Time
	seq      int       // its name in this process, from 1; 0 for those of an earlier one
	reserved bool      // not made yet: at is when it was allowed
	answered time.Time // when the API's answer arrived; zero until then
}

// wait says why a call that leaves spare others free can't start now; the zero Wait means that it can.
func (q *quota) wait(now time.Time, spare int) schema.Wait {
	q.forget(now)
	switch {
	case q.free(now) < spare+1:
		return schema.Wait{For: schema.WaitQuota, Until: q.next(now, spare+1)}
	case q.inFlight >= q.concurrent, q.others.asking:
		return schema.Wait{For: schema.WaitQuota}
	}
	return schema.Wait{}
}

// free is the number of calls allowed at t, if none is made until then.
func (q *quota) free(t time.Time) int {
	gone := sort.Search(len(q.calls), func(i int) bool { return q.calls[i].at.Add(window + margin).After(t) })
	n := q.limit - (len(q.calls) - gone)
	if q.others.until.After(t) {
		n -= q.others.calls
	}
	return n
}

// next is the first time after now at which need calls are free.
func (q *quota) next(now time.Time, need int) time.Time {
	ends := make([]time.Time, 0, len(q.calls)+1)
	for _, c := range q.calls {
		ends = append(ends, c.at.Add(window+margin))
	}
	if q.others.until.After(now) {
		ends = append(ends, q.others.until)
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, t := range ends {
		if q.free(t) >= need {
			return t
		}
	}
	// More is asked for than there ever is: never a wait without end.
	return now.Add(window + margin)
}

func (q *quota) forget(now time.Time) {
	q.calls = slices.DeleteFunc(q.calls, func(c counted) bool { return !c.at.Add(window + margin).After(now) })
}

// count adds a call made at at, or reserved then, and names it.
func (q *quota) count(at time.Time, reserved bool) (seq int) {
	q.begun++
	q.calls = append(q.calls, counted{at: at, seq: q.begun, reserved: reserved})
	slices.SortStableFunc(q.calls, func(a, b counted) int { return a.at.Compare(b.at) })
	return q.begun
}

func (q *quota) uncount(seq int) {
	q.calls = slices.DeleteFunc(q.calls, func(c counted) bool { return c.seq == seq })
}

// answered notes when the answer to a call arrived.
func (q *quota) answered(seq int, now time.Time) {
	for i := range q.calls {
		if q.calls[i].seq == seq {
			q.calls[i].answered = now
		}
	}
}

// known is the least number of our calls that the API can have counted when it answered a call begun at at, whose answer arrives at now:
// that one, and those answered before it began which are still in the hour.
func (q *quota) known(at, now time.Time) int {
	n := 1
	for _, c := range q.calls {
		if c.at.Add(window).After(now) && (c.seq == 0 || !c.answered.IsZero() && !c.answered.After(at)) {
			n++
		}
	}
	return n
}
