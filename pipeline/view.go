package pipeline

import (
	"sync/atomic"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// view is what others see of a service while it runs: the admin server above all. It
// outlasts ownerships. All its methods may be called at any time, by several goroutines
// at once.
type view struct {
	service string
	streams []transfer.Stream
	counts  Counts
	recent  recentLetters
	meter   producer.Meter
	status  atomic.Pointer[Status]
}

// Status is the last status; it may be a moment old.
func (v *view) Status() Status {
	if st := v.status.Load(); st != nil {
		return *st
	}
	return Status{Service: v.service, Role: RoleStarting, Reasons: []string{"starting"}}
}

// Totals are the counts by stream.
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

// Produced is what has been written to Kafka since the process started, the ledger included.
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

// showWaiting says why no ownership can begin.
func (v *view) showWaiting(err error) {
	last := v.Status()
	now := time.Now()
	v.status.Store(&Status{Service: v.service, Role: RoleWaiting, Reasons: []string{err.Error()}, Turned: now, Streams: last.Streams, Remaining: last.RemainingAt(now)})
}

// showRestoring says that Kafka is reached. A standby stays one until it is the owner.
func (v *view) showRestoring() {
	last := v.Status()
	if last.Role == RoleStandby {
		return
	}
	now := time.Now()
	v.status.Store(&Status{Service: v.service, Role: RoleStarting, Reasons: []string{"taking the service over and restoring its ledger"}, Turned: now,
		Restoring: true, Streams: last.Streams, Remaining: last.RemainingAt(now)})
}

// showStandby says who owns the service; nil if that is not known.
func (v *view) showStandby(owner *ledger.Owner) {
	reason := "standby: another instance owns the service"
	if owner != nil {
		reason = "standby: " + owner.Instance + " owns the service"
	}
	v.status.Store(&Status{Service: v.service, Role: RoleStandby, Reasons: []string{reason}, Owner: owner, Turned: time.Now(), Streams: v.Status().Streams})
}

// show shows what an owner's loop knows.
func (v *view) show(st *Status) { v.status.Store(st) }
