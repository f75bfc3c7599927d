package limiter

import (
	"slices"
	"sort"
	"time"

	"dfinery-kafka/schema"
)

const (
	// window is the moving period in which the API allows a number of calls: see "Rate limit"
	// in its guide.
	window = time.Hour
	// margin lengthens each wait for the quota: a call reaches the API a little after it is
	// counted here, and resets are given in whole seconds.
	margin = time.Second
)

// quota counts the calls of one service in the last hour, and those in flight.
type quota struct {
	limit      int
	concurrent int

	calls    []counted // by time
	begun    int
	inFlight int

	external externalUsage
}

// counted is a call in the window.
type counted struct {
	at       time.Time
	seq      int       // its number in this process, from 1; 0 for those of an earlier one
	reserved bool      // not yet made: at is when it was granted
	answered time.Time // when the API's answer arrived; zero until then
}

// Wait implements Limit.
func (q *quota) Wait(now time.Time, spare int) schema.Wait {
	q.forget(now)
	if own := q.own(now); own < q.limit {
		spare = min(spare, own/2) // otherwise a backfill would wait forever for more than the API allows
	}
	switch {
	case q.free(now) < spare+1:
		return schema.Wait{For: schema.WaitQuota, Until: q.next(now, spare+1)}
	case q.inFlight >= q.concurrent, q.external.asking:
		return schema.Wait{For: schema.WaitQuota}
	}
	return schema.Wait{}
}

// Begin implements Limit.
func (q *quota) Begin(now time.Time) Call {
	q.inFlight++
	return &quotaCall{quota: q, at: now, seq: q.count(now, true), asks: q.external.ask(now)}
}

type quotaCall struct {
	quota *quota
	at    time.Time // when the quota counts it
	seq   int       // its number there
	sent  bool
	asks  bool // for the usage of other clients
}

// Sent counts the call at the time when it is really made, as the API does.
func (c *quotaCall) Sent(now time.Time) {
	c.sent, c.at = true, now
	c.quota.uncount(c.seq)
	c.seq = c.quota.count(now, false)
}

// Answered corrects our own count by the API's.
func (c *quotaCall) Answered(now time.Time, a Answer) {
	q := c.quota
	if a.Known {
		until := now.Add(window + margin)
		if d := resetIn(now, a.Reset, a.Date); d > 0 {
			until = now.Add(d)
		}
		left := max(0, a.Remaining)
		q.external.learn(q.limit-len(q.calls)-left, q.limit-q.known(c.at, now)-left, until)
	} else if c.asks {
		q.external.calls = 0
	}
	q.answered(c.seq, now)
	c.asked()
}

// asked ends the wait of other calls if this call asks for the usage of other clients.
func (c *quotaCall) asked() {
	if c.asks {
		c.asks, c.quota.external.asking = false, false
	}
}

func (c *quotaCall) Ended(time.Time, Outcome) {
	if !c.sent {
		c.quota.uncount(c.seq)
	}
	c.quota.inFlight--
	c.asked()
}

// free is the number of calls allowed at t, if none is made until then.
func (q *quota) free(t time.Time) int {
	expired := sort.Search(len(q.calls), func(i int) bool { return q.calls[i].at.Add(window + margin).After(t) })
	n := q.limit - (len(q.calls) - expired)
	if q.external.until.After(t) {
		n -= q.external.calls
	}
	return n
}

// own is how many calls an hour the API leaves to this process, according to its last answer.
func (q *quota) own(now time.Time) int {
	if q.external.until.After(now) {
		return max(0, q.limit-q.external.calls)
	}
	return q.limit
}

// next is the first time after now at which need calls are free.
func (q *quota) next(now time.Time, need int) time.Time {
	ends := make([]time.Time, 0, len(q.calls)+1)
	for _, c := range q.calls {
		ends = append(ends, c.at.Add(window+margin))
	}
	if q.external.until.After(now) {
		ends = append(ends, q.external.until)
	}
	slices.SortFunc(ends, time.Time.Compare)
	for _, t := range ends {
		if q.free(t) >= need {
			return t
		}
	}
	// More is requested than the limit: avoid an endless wait.
	return now.Add(window + margin)
}

func (q *quota) forget(now time.Time) {
	q.calls = slices.DeleteFunc(q.calls, func(c counted) bool { return !c.at.Add(window + margin).After(now) })
}

// count adds a call made, or reserved, at this time, and returns its number.
func (q *quota) count(at time.Time, reserved bool) (seq int) {
	q.begun++
	q.calls = append(q.calls, counted{at: at, seq: q.begun, reserved: reserved})
	slices.SortStableFunc(q.calls, func(a, b counted) int { return a.at.Compare(b.at) })
	return q.begun
}

func (q *quota) uncount(seq int) {
	q.calls = slices.DeleteFunc(q.calls, func(c counted) bool { return c.seq == seq })
}

// answered stores when the answer to a call arrived.
func (q *quota) answered(seq int, now time.Time) {
	for i := range q.calls {
		if q.calls[i].seq == seq {
			q.calls[i].answered = now
		}
	}
}

// known is the minimum of our calls that the API has counted when it answers a call started at
// at, whose answer arrives at now: that call, and those answered before it started that are
// still within the hour.
func (q *quota) known(at, now time.Time) int {
	n := 1
	for _, c := range q.calls {
		if c.at.Add(window).After(now) && (c.seq == 0 || !c.answered.IsZero() && !c.answered.After(at)) {
			n++
		}
	}
	return n
}

func (q *quota) status(now time.Time) QuotaStatus {
	q.forget(now)
	free := q.free(now)
	st := QuotaStatus{Limit: q.limit, Remaining: max(0, free), Own: q.own(now), Made: len(q.calls), InFlight: q.inFlight}
	if free < q.limit {
		st.ResetsAt = q.next(now, max(0, free)+1)
	}
	return st
}
