package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// profileKeeper stores the state of streams with MODE=changes. Exports call it;
// everything that uses the owner's parts runs in the owner's loop.
type profileKeeper struct {
	streams     []transfer.Stream
	location    *time.Location
	cluster     *cluster.Cluster
	session     *producer.Session
	partitions  *partitions
	writer      *store.Writer
	schedule    *schedule.State
	record      *serviceRecord
	checkpoints *checkpointer
	calls       loopCalls
	step        func(name string)
	log         *slog.Logger
}

// of returns the stream's record, a new one if it has none. Only the loop calls it.
func (k *profileKeeper) of(stream string) *ledger.Profiles {
	content := &k.record.content
	if content.Profiles == nil {
		content.Profiles = map[string]*ledger.Profiles{}
	}
	r := content.Profiles[stream]
	if r == nil {
		r = &ledger.Profiles{Seed: rand.Uint64()}
		content.Profiles[stream] = r
	}
	return r
}

// Load implements transfer.Profiles.
func (k *profileKeeper) Load(ctx context.Context, stream string) (*ledger.Profiles, profiles.Marks, error) {
	var record ledger.Profiles
	err := k.calls.do(ctx, func(context.Context) error {
		record = *k.of(stream)
		return nil
	})
	marks := profiles.Marks{}
	if err == nil {
		err = k.writer.Ledger.LoadMarks(ctx, stream, record.Absent.Ranges, func(value []byte) error {
			if err := marks.Load(value); err != nil { // lost marks only delay deletes
				k.log.Warn("marks of absent profiles can't be read: their deletes are delayed", "stream", stream, "error", err, "do", "nothing")
			}
			return nil
		})
	}
	return &record, marks, err
}

// Scan implements transfer.Profiles.
func (k *profileKeeper) Scan(ctx context.Context, stream string, visit func(partition int, r *recordbatch.Record)) error {
	if err := k.flush(ctx, stream); err != nil {
		return err
	}
	logs, err := k.cluster.Offsets(ctx, k.partitionsOf(stream)...)
	if err != nil {
		return fmt.Errorf("scan the topic of %s: %w", stream, err)
	}
	for _, log := range logs {
		if log.Err != nil {
			return fmt.Errorf("scan the topic of %s: %w", stream, log.Err)
		}
		p := log.Partition
		err := k.cluster.Read(ctx, p, log.Start, log.End, recordbatch.Visitor{Record: func(r *recordbatch.Record) error {
			visit(p.Partition, r)
			return nil
		}})
		if err != nil {
			return fmt.Errorf("scan %v: %w", p, err)
		}
	}
	return nil
}

// partitionsOf returns the partitions of a stream's topic.
func (k *profileKeeper) partitionsOf(stream string) []recordbatch.TopicPartition {
	return k.partitions.of(transfer.Named(k.streams, stream).Topic)
}

// flush waits until everything written to the stream's topic is acknowledged.
func (k *profileKeeper) flush(ctx context.Context, stream string) error {
	var list []*producer.Sender
	for _, p := range k.partitionsOf(stream) {
		sender, err := k.session.Sender(p)
		if err != nil {
			return err
		}
		list = append(list, sender)
	}
	return k.session.Flush(ctx, list...)
}

// Begin implements transfer.Profiles.
func (k *profileKeeper) Begin(ctx context.Context, call *schema.Export, partitions, above int) (n int, err error) {
	err = k.calls.do(ctx, func(ctx context.Context) error {
		name := ledger.DayName{Stream: call.Stream, Day: call.Day}
		if n = call.N; n <= above {
			n = k.schedule.Day(name).Renumber(above)
		}
		r := k.of(call.Stream)
		r.N, r.Partitions = max(r.N, n), partitions
		if err := k.record.recordCall(ctx, name); err != nil {
			return err
		}
		k.step("profiles_begun")
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// RecordDecision implements transfer.Profiles. The rows are acknowledged before the marks, and
// these before the record.
func (k *profileKeeper) RecordDecision(ctx context.Context, stream string, decide func(*ledger.Profiles) *profiles.Decision) (*profiles.Decision, error) {
	var d *profiles.Decision
	err := k.calls.do(ctx, func(ctx context.Context) error {
		if err := k.flush(ctx, stream); err != nil {
			return err
		}
		k.step("profiles_flushed")
		d = decide(k.of(stream))
		var run []byte
		for _, m := range d.Marks {
			run = m.Append(run)
		}
		ranges, err := k.checkpoints.saveAbsent(ctx, stream, d.Record.N, run)
		if err != nil {
			return err
		}
		k.step("profiles_marked")
		d.Record.Absent.Ranges = ranges
		k.record.content.Profiles[stream] = &d.Record
		if err := k.record.write(ctx); err != nil {
			return err
		}
		k.step("profiles_decided")
		return nil
	})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Deleted implements transfer.Profiles.
func (k *profileKeeper) Deleted(ctx context.Context, stream string, n int) error {
	return k.calls.do(ctx, func(ctx context.Context) error {
		k.step("profiles_deleting")
		if err := k.flush(ctx, stream); err != nil {
			return err
		}
		k.step("profiles_deleted")
		r := *k.of(stream)
		profiles.Deleted(&r, n)
		k.record.content.Profiles[stream] = &r
		return k.record.write(ctx)
	})
}

// forgetMarks removes the marks of streams that now publish all rows, because
// publishing does not remove them then. Only the loop calls it.
func (k *profileKeeper) forgetMarks() {
	for name, r := range k.record.content.Profiles {
		if st := transfer.Named(k.streams, name); st != nil && !st.Changes && r != nil {
			r.Absent = ledger.Absent{}
		}
	}
}

// publishWhole restarts today for streams that now publish all rows, if the day's last
// export published only changes: the ledger does not have the rows that such an export
// published or deleted. Only the loop calls it.
func (k *profileKeeper) publishWhole(now time.Time) {
	for name, r := range k.record.content.Profiles {
		st := transfer.Named(k.streams, name)
		if st == nil || st.Changes || r == nil || r.N == 0 {
			continue
		}
		today := ledger.DayName{Stream: name, Day: schema.DayOf(now, k.location)}
		if k.schedule.Record(today).Exports == r.N {
			k.schedule.Day(today).Restart(fmt.Sprintf("changes until export %d", r.N))
		}
	}
}

// PublishAgain makes the rows of a stream's earlier exports be published again when a
// snapshot has them. Only the loop calls it.
func (k *profileKeeper) PublishAgain(stream string) {
	k.of(stream).AgainFrom = k.schedule.Stream(stream).LastExport() + 1
}
