package pipeline

import (
	"slices"
	"time"

	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// statusReporter publishes the status of the owner's loop.
type statusReporter struct {
	service   string
	streams   []transfer.Stream
	session   *producer.Session
	topics    *topicMonitor
	schedule  *schedule.State
	transfers *transfer.Runner
	record    *serviceRecord
	commands  *command.Executor
	view      *view
}

// publish publishes the current status. waits is why nothing more could be started.
func (r *statusReporter) publish(waits schema.Wait, now time.Time) {
	st := &Status{Service: r.service, Role: RoleOwner, Turned: now}
	for at, err := range r.session.Waiting() {
		st.Reasons = append(st.Reasons, "Kafka: "+at.String()+" does not take records: "+err.Error())
	}
	slices.Sort(st.Reasons)
	st.Reasons = append(slices.Clone(r.topics.forbidden), st.Reasons...)
	st.Commands = r.commands.Open()
	st.Streams, st.Remaining = r.schedule.Status(waits, now), r.schedule.Remaining(now)
	counts := r.view.Totals()
	for i := range st.Streams {
		r.addCounts(&st.Streams[i], counts[st.Streams[i].Name])
	}
	r.view.show(st)
}

// addCounts adds the counts of this process and, for days that are being exported, what
// is not yet in the ledger.
func (r *statusReporter) addCounts(s *StreamStatus, counts StreamCounts) {
	s.Published, s.Duplicates = counts.Published, counts.Duplicates
	for _, n := range counts.Letters {
		s.DeadLetters += n
	}
	s.Profiles = profileStatus(transfer.Named(r.streams, s.Name), r.record.content.Profiles[s.Name], r.transfers.Partitions(s.Name))
	for i := range s.Days {
		one := &s.Days[i]
		one.Published += r.transfers.Pending(ledger.DayName{Stream: s.Name, Day: one.Day})
	}
}
