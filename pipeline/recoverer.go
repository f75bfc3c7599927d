package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recovery"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// recoverSince is how far back a log is read that is not the log of the checkpoint:
// what the API can still export was published since then, plus two days for clocks and
// time zones.
const recoverSince = schema.Reach*24*time.Hour + clockDifference

// recoverer recovers what is in the topics but not in the ledger. It is used only at
// the start of an ownership.
type recoverer struct {
	streams     []transfer.Stream
	location    *time.Location
	deadLetters string
	ledger      *store.Ledger
	session     *producer.Session
	partitions  *partitions
	schedule    *schedule.State
	transfers   *transfer.Runner
	checkpoints *checkpointer
	log         *slog.Logger
}

func newRecoverer(o *owner) *recoverer {
	c := o.config
	return &recoverer{
		streams: c.Streams, location: c.Location, deadLetters: c.DeadLetterTopic, ledger: o.writer.Ledger, session: o.session, partitions: o.partitions,
		schedule: o.schedule, transfers: o.transfers, checkpoints: o.checkpoints, log: o.log,
	}
}

// recover reads what is in the topics but not in the ledger, for the checkpoint that
// follows.
func (r *recoverer) recover(ctx context.Context, state *ledger.State) error {
	empty := state.Checkpoint == nil // each owner writes a checkpoint before its first row
	if empty {
		r.log.Info("the ledger is empty: reading this service's records in the topics")
	}
	marks := state.Checkpoint.Marks()
	for p := range marks {
		if p.Topic == r.ledger.Rows {
			delete(marks, p)
		}
	}
	topics := map[string]string{}
	for i := range r.streams {
		topics[r.streams[i].Name] = r.streams[i].Topic
	}
	result, err := recovery.Read(ctx, r.ledger.Cluster, recovery.Plan{
		Service: r.ledger.Service, Topics: topics, Letters: r.deadLetters, Partitions: r.partitions.recovered(r.streams), Fenced: r.session.Fenced,
		Marks: marks, Missing: r.missingDays(state), Oldest: oldestRecovered(r.location), Since: time.Now().Add(-recoverSince), Ledger: knownRows{r.ledger, r.schedule},
	})
	if err != nil {
		return fmt.Errorf("read the topics after the last checkpoint: %w", err)
	}
	maps.Copy(r.checkpoints.positions, result.Positions)
	r.checkpoints.carried = result.Carried
	r.report(result.Findings)
	rows := 0
	for name, d := range result.Days {
		rows += d.Rows
		r.schedule.Day(name).Recover(d.Rows, d.Letters, d.Exports)
		r.transfers.Day(name).Rows = d.Copies
	}
	switch {
	case rows == 0:
	case empty:
		r.log.Error("the ledger was lost: it is rebuilt from the topics; rows that are no longer there may be published twice",
			"rows", rows, "days", len(result.Days), "do", "find out who deleted "+r.ledger.Topic+", or whether LEDGER_TOPIC was changed")
	default:
		r.log.Info("recovered rows that were published after the last checkpoint", "rows", rows, "days", len(result.Days))
	}
	return nil
}

// knownRows reads the ledger's days for recovery.
type knownRows struct {
	stored   *store.Ledger
	schedule *schedule.State
}

func (k knownRows) Known(name ledger.DayName) bool { return k.schedule.Find(name) != nil }

func (k knownRows) Day(name ledger.DayName) ledger.Day { return k.schedule.Record(name) }

// LoadSet ignores rows that the ledger has lost: the day's next export reads them from the topics.
func (k knownRows) LoadSet(ctx context.Context, name ledger.DayName) (*dedup.Set, error) {
	record := k.Day(name)
	set, err := k.stored.LoadSet(ctx, name, &record)
	if _, lost := errors.AsType[*store.LostError](err); lost {
		err = nil
	}
	return set, err
}

// report logs the findings of recovery.
func (r *recoverer) report(findings []recovery.Finding) {
	for _, f := range findings {
		switch f.Kind {
		case recovery.Lost:
			r.reportLost(f)
		case recovery.Expired:
			r.log.Error("the topic has lost records that were not yet in the ledger: rows of unsettled days may be published twice",
				"partition", f.Partition, "checkpoint", f.From, "log_start", f.To,
				"do", "set a retention of the topic that is longer than outages; its consumers must deduplicate by the header id")
		case recovery.Holes:
			r.log.Error("the log lacks records that were not yet in the ledger, removed by compaction or not returned by their leader: rows of unsettled days may be published twice",
				"partition", f.Partition, "records", f.To-f.From,
				"do", "set the topic's cleanup.policy to delete; its consumers must deduplicate by the header id")
		}
	}
}

// reportLost logs that acknowledged records are lost, and how to publish them again.
func (r *recoverer) reportLost(f recovery.Finding) {
	for i := range r.streams {
		st := &r.streams[i]
		if st.Topic != f.Partition.Topic {
			continue
		}
		do := "check the brokers: acknowledged records must not be lost; the API no longer has the published days"
		if first, last := r.published(st); first != 0 {
			do = fmt.Sprintf("dfinery-kafka backfill %s --from %s --to %s --again", st.Name, first, last)
		}
		r.log.Error("Kafka has lost acknowledged rows of a stream: publish its days again", "stream", st.Name, "partition", f.Partition, "how", f.How, "do", do)
		return
	}
	r.log.Error("Kafka has lost acknowledged dead letters", "partition", f.Partition, "how", f.How,
		"do", "check the brokers: acknowledged records must not be lost (unclean.leader.election.enable, replicas)")
}

// published returns the first and the last of the stream's days within reach that have
// rows in its topic; 0 without any.
func (r *recoverer) published(st *transfer.Stream) (first, last schema.Day) {
	for name, record := range r.schedule.Days() {
		if name.Stream != st.Name || record.Published == 0 || name.Day < oldestRecovered(r.location) {
			continue
		}
		if first == 0 {
			first = name.Day
		}
		last = name.Day
	}
	return first, last
}

// oldestRecovered is the first day whose published rows are recovered: the API's reach,
// and one more day for a midnight in the meantime.
func oldestRecovered(loc *time.Location) schema.Day {
	return schema.DayOf(time.Now(), loc) - schema.Reach - 1
}

// missingDays creates records for the days that the checkpoint lists but the ledger no
// longer has. Their rows are read from the topics; otherwise all of them would be
// published again. Days of a stream that can't be read completely now are left to a
// later owner.
func (r *recoverer) missingDays(state *ledger.State) map[ledger.DayName]bool {
	missing := map[ledger.DayName]bool{}
	if state.Checkpoint == nil {
		return missing
	}
	r.checkpoints.carriedDays = maps.Clone(state.Checkpoint.Days)
	for i := range r.streams {
		st := &r.streams[i]
		if r.schedule.Stream(st.Name).Blocked() != "" {
			continue
		}
		delete(r.checkpoints.carriedDays, st.Name)
		days := recovery.MissingDays(state, st.Name, oldestRecovered(r.location))
		if len(days) == 0 {
			continue
		}
		var first, last schema.Day
		for day, from := range days {
			name := ledger.DayName{Stream: st.Name, Day: day}
			missing[name] = true
			r.schedule.Day(name).Recreate(from)
			if first == 0 || day < first {
				first = day
			}
			last = max(last, day)
		}
		r.log.Error("the ledger has lost the records of days: they are recovered from the topics; rows that are no longer there may be published twice",
			"stream", st.Name, "days", len(days), "first", first, "last", last,
			"do", "find out who deleted records of "+r.ledger.Topic+", or the topic: its cleanup.policy must be compact, and only this program may delete there")
	}
	return missing
}
