package pipeline

import (
	"sync/atomic"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// view is what others, mainly the admin server, see of a running service. It outlives
// ownerships. All its methods are safe for concurrent use.
type view struct {
	service string
	streams []transfer.Stream
	counts  Counts
	recent  recentLetters
	meter   producer.Meter
	status  atomic.Pointer[Status]
}

// Status returns the last status, which may be slightly outdated.
func (v *view) Status() Status {
	if st := v.status.Load(); st != nil {
		return *st
	}
	return Status{Service: v.service, Role: RoleStarting, Reasons: []string{"starting"}}
}

// Totals returns the counts by stream.
func (v *view) Totals() map[string]StreamCounts {
	totals := v.counts.copies()
	for i := range v.streams {
		if st := &v.streams[i]; st.Values != nil {
			c := totals[st.Name]
			c.NulledValues = st.Values.Nulled()
			totals[st.Name] = c
		}
	}
	return totals
}

// Produced returns what has been written to Kafka since the process started, including
// the ledger.
func (v *view) Produced() producer.Stats { return v.meter.Stats() }

// RecentLetters returns the last dead letters written since the process started, newest first.
func (v *view) RecentLetters() []RecentLetter { return v.recent.list() }

// wrote counts a dead letter.
func (v *view) wrote(l *schema.DeadLetter) {
	v.recent.add(l)
	if l.Kind == schema.KindRow {
		v.counts.deadLetter(l.Stream, l.Kind, l.Error.Code)
	}
}

// showWaiting sets why no ownership can begin.
func (v *view) showWaiting(err error) {
	last := v.Status()
	now := time.Now()
	v.status.Store(&Status{Service: v.service, Role: RoleWaiting, Reasons: []string{err.Error()}, Turned: now, Streams: last.Streams, Remaining: last.RemainingAt(now)})
}

// showRestoring sets that Kafka is reached. A standby remains one until it is the
// owner.
func (v *view) showRestoring() {
	last := v.Status()
	if last.Role == RoleStandby {
		return
	}
	now := time.Now()
	v.status.Store(&Status{Service: v.service, Role: RoleStarting, Reasons: []string{"taking over the service and recovering its ledger"}, Turned: now,
		Restoring: true, Streams: last.Streams, Remaining: last.RemainingAt(now)})
}

// showStandby sets the owner of the service; nil if unknown.
func (v *view) showStandby(owner *ledger.Owner) {
	reason := "standby: another instance owns the service"
	if owner != nil {
		reason = "standby: " + owner.Instance + " owns the service"
	}
	v.status.Store(&Status{Service: v.service, Role: RoleStandby, Reasons: []string{reason}, Owner: owner, Turned: time.Now(), Streams: v.Status().Streams})
}

// show sets the status of an owner's loop.
func (v *view) show(st *Status) { v.status.Store(st) }
