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

// recoverSince is how far back a log is read that is not the checkpoint's: what the API
// can still export was published since then, and two days more for clocks and time
// zones.
const recoverSince = (schema.Reach + 2) * 24 * time.Hour

// restoration reads back what the topics hold and the ledger does not. It lasts for the
// begin of an ownership.
type restoration struct {
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

// recover reads back what the topics hold and the ledger does not, for the checkpoint that follows.
func (r *restoration) recover(ctx context.Context, state *ledger.State) error {
	empty := state.Checkpoint == nil // each owner writes a checkpoint before its first row
	if empty {
		r.log.Info("the ledger is empty: reading what the topics hold of this service")
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
		return fmt.Errorf("restore: %w", err)
	}
	maps.Copy(r.checkpoints.marks, result.Positions)
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
		r.log.Error("the ledger was lost: it is built anew from what the topics hold; rows that these no longer have may be published twice",
			"rows", rows, "days", len(result.Days), "do", "find out who deleted "+r.ledger.Topic+", or whether LEDGER_TOPIC had another name before")
	default:
		r.log.Info("restored rows that were published after the last checkpoint", "rows", rows, "days", len(result.Days))
	}
	return nil
}

// knownRows is what the ledger has of days, for recovery.
type knownRows struct {
	stored   *store.Ledger
	schedule *schedule.State
}

func (k knownRows) Known(name ledger.DayName) bool { return k.schedule.Find(name) != nil }

func (k knownRows) Day(name ledger.DayName) ledger.Day { return k.schedule.Record(name) }

// LoadSet leaves it to the day's next export to report rows that the ledger has lost.
func (k knownRows) LoadSet(ctx context.Context, name ledger.DayName) (*dedup.Set, error) {
	record := k.Day(name)
	set, err := k.stored.LoadSet(ctx, name, &record)
	if _, lost := errors.AsType[*store.LostError](err); lost {
		err = nil
	}
	return set, err
}

// report reports what recovery has found.
func (r *restoration) report(findings []recovery.Finding) {
	for _, f := range findings {
		switch f.Kind {
		case recovery.Lost:
			r.reportLost(f)
		case recovery.Expired:
			r.log.Error("the topic has lost records that were not in the ledger yet: rows of the unsettled days may be published twice",
				"partition", f.Partition, "checkpoint", f.From, "log_start", f.To,
				"do", "give the topic a retention longer than outages; tell its consumers to deduplicate by the header id")
		case recovery.Holes:
			r.log.Error("the log lacks records that were not in the ledger yet, removed by compaction or not given by their leader: rows of the unsettled days may be published twice",
				"partition", f.Partition, "records", f.To-f.From,
				"do", "set the topic's cleanup.policy to delete; tell its consumers to deduplicate by the header id")
		}
	}
}

// reportLost reports that acknowledged records are gone, and how to publish them again.
func (r *restoration) reportLost(f recovery.Finding) {
	for i := range r.streams {
		st := &r.streams[i]
		if st.Topic != f.Partition.Topic {
			continue
		}
		do := "look at the brokers: what was acknowledged must stay; the API has nothing any more of the days that were published"
		if first, last := r.published(st); first != 0 {
			do = fmt.Sprintf("dfinery-kafka backfill %s --from %s --to %s --again", st.Name, first, last)
		}
		r.log.Error("Kafka has lost acknowledged rows of a stream: publish its days again", "stream", st.Name, "partition", f.Partition, "how", f.How, "do", do)
		return
	}
	r.log.Error("Kafka has lost acknowledged dead letters", "partition", f.Partition, "how", f.How,
		"do", "look at the brokers: what was acknowledged must stay (unclean.leader.election.enable, replicas)")
}

// published are the first and the last of the stream's days within reach that have rows
// in its topic; 0 without any.
func (r *restoration) published(st *transfer.Stream) (first, last schema.Day) {
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

// oldestRecovered is the first day of which a restore keeps what is published: the
// API's reach, and a day more for a midnight meanwhile.
func oldestRecovered(loc *time.Location) schema.Day {
	return schema.DayOf(time.Now(), loc) - schema.Reach - 1
}

// missingDays begins records for the days that the checkpoint lists and the ledger no
// longer has. What the topics hold of them is read back, or all of it would be
// published again. The days of a stream that can't be read as a whole now are left to a
// later owner.
func (r *restoration) missingDays(state *ledger.State) map[ledger.DayName]bool {
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
		r.log.Error("the ledger has lost the records of days: they are read back from the topics; rows that these no longer have may be published twice",
			"stream", st.Name, "days", len(days), "first", first, "last", last,
			"do", "find out who deleted records of "+r.ledger.Topic+", or the topic: its cleanup.policy must be compact, and nobody but the program may delete there")
	}
	return missing
}
