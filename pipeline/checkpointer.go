package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// checkpointer writes checkpoints, and keeps the positions of the last one. Its caller
// must have paused all exports, and everything that they appended must be acknowledged.
type checkpointer struct {
	session    acknowledger
	writer     *store.Writer
	logs       logs
	schedule   *schedule.State
	partitions *partitions
	oldest     func() schema.Day // the first day that a start still recovers
	step       func(name string)

	positions   map[recordbatch.TopicPartition]recordbatch.Position // of the recovered partitions: their positions after recovery, or at the last checkpoint
	carried     map[recordbatch.TopicPartition]ledger.Mark          // from the previous checkpoint, of partitions that were not recovered
	carriedDays map[string]map[schema.Day]int                       // from the previous checkpoint, of streams that were not recovered
	rowsSince   int64                                               // from this offset on all fingerprints of this service in the rows topic are in the range of their day
	rowsWhole   bool                                                // rowsSince is known: the last attempt to write fingerprints completed
}

// acknowledger has the acknowledged positions: a *producer.Session.
type acknowledger interface {
	Flush(context.Context, ...*producer.Sender) error
	Position(recordbatch.TopicPartition) (recordbatch.Position, bool)
}

// logs has the end offsets of partitions: a *cluster.Cluster.
type logs interface {
	Log(context.Context, recordbatch.TopicPartition) (cluster.LogRange, error)
}

func newCheckpointer(session acknowledger, w *store.Writer, days *schedule.State, at *partitions, oldest func() schema.Day, step func(name string)) *checkpointer {
	return &checkpointer{
		session: session, writer: w, logs: w.Ledger.Cluster, schedule: days, partitions: at, oldest: oldest, step: step,
		positions: map[recordbatch.TopicPartition]recordbatch.Position{}, carried: map[recordbatch.TopicPartition]ledger.Mark{},
	}
}

// write writes the new fingerprints and the days' records, then the service's record
// and the checkpoint's positions.
func (c *checkpointer) write(ctx context.Context, days []*transfer.Day, service func() *ledger.Service) error {
	if err := c.saveFingerprints(ctx, days); err != nil {
		return fmt.Errorf("write fingerprints: %w", err)
	}
	c.step("fingerprints")
	for _, d := range days {
		record := c.schedule.Record(d.Name)
		if err := c.writer.Day(d.Name, &record); err != nil {
			return err
		}
	}
	c.step("days")
	if err := c.writer.Service(service()); err != nil {
		return err
	}
	record, err := c.newRecord(ctx)
	if err != nil {
		return err
	}
	if err := c.writer.Checkpoint(record); err != nil {
		return err
	}
	if err := c.session.Flush(ctx, c.writer.State); err != nil {
		return fmt.Errorf("await acknowledgements: %w", err)
	}
	c.step("checkpointed")
	return nil
}

// saveFingerprints writes the days' new fingerprints and adds their ranges to the days'
// records.
func (c *checkpointer) saveFingerprints(ctx context.Context, days []*transfer.Day) error {
	fresh := slices.DeleteFunc(slices.Clone(days), func(d *transfer.Day) bool { return !d.Rows.Dirty() })
	if len(fresh) == 0 {
		return nil
	}
	before, err := c.lookUpPosition(ctx, c.partitions.rows)
	if err != nil {
		return err
	}
	// Fingerprints of an attempt that ended without its checkpoint are in the topic,
	// but are written again: no range may include them.
	since := before.Next
	if c.rowsWhole {
		since = c.rowsSince
	}
	c.rowsWhole = false
	for _, d := range fresh {
		if err := c.writer.Save(d.Name, c.schedule.Record(d.Name).Generation, &d.Rows); err != nil {
			return err
		}
	}
	if err := c.session.Flush(ctx, c.writer.Rows); err != nil {
		return err
	}
	after, err := c.lookUpPosition(ctx, c.partitions.rows)
	if err != nil {
		return err
	}
	c.rowsWhole, c.rowsSince = true, since
	// Acknowledged: only now may the record drop its previous ranges. Anything that
	// failed before this is retried.
	for _, d := range fresh {
		ranges := slices.Clone(c.schedule.Record(d.Name).Fingerprints)
		if d.Rows.Rewriting() {
			ranges = nil
		}
		if after.Next > before.Next { // else the days' sets are empty
			ranges = ledger.Extend(ranges, c.partitions.rows.Partition, since, before.Next, after.Next)
		}
		c.schedule.Day(d.Name).SetFingerprints(ranges)
		d.Rows.Saved()
	}
	return nil
}

// lookUpPosition returns the acknowledged position of a partition. If the brokers'
// answers did not contain it, it queries the end of the log, and keeps that.
func (c *checkpointer) lookUpPosition(ctx context.Context, p recordbatch.TopicPartition) (recordbatch.Position, error) {
	position, written := c.session.Position(p)
	if !written {
		var known bool
		if position, known = c.positions[p]; known {
			return position, nil
		}
		position.Next = -1
	}
	if position.Next < 0 {
		log, err := c.logs.Log(ctx, p)
		if err != nil {
			return position, err
		}
		position = recordbatch.Position{Next: log.End, Last: -1}
	}
	c.positions[p] = position
	return position, nil
}

// newRecord returns the checkpoint of everything that this service writes, with a mark
// of each partition; the state topic itself needs none. No mark is ever dropped: without
// it, the next recovery reads a partition from its start, and counts rows twice whose
// fingerprints are in the ledger.
func (c *checkpointer) newRecord(ctx context.Context) (*ledger.Checkpoint, error) {
	record := &ledger.Checkpoint{At: time.Now().UTC(), Days: c.days()}
	for _, p := range c.partitions.all {
		if _, recovered := c.positions[p]; p == c.partitions.state || !recovered && p != c.partitions.rows {
			continue
		}
		position, err := c.lookUpPosition(ctx, p)
		if err != nil {
			return nil, err
		}
		m := ledger.Mark{Topic: p.Topic, Partition: p.Partition, Next: position.Next}
		if position.Last >= 0 && p != c.partitions.rows {
			m.ID, m.Last = position.LastID, position.Last
		}
		record.Partitions = append(record.Partitions, m)
	}
	for _, m := range c.carried {
		record.Partitions = append(record.Partitions, m)
	}
	return record, nil
}

// knownPosition returns the acknowledged position of a partition without a query; zero
// if it is not known.
func (c *checkpointer) knownPosition(p recordbatch.TopicPartition) recordbatch.Position {
	if position, written := c.session.Position(p); written {
		return position
	}
	return c.positions[p]
}

// days returns the days within reach whose records are in the ledger, or will be with
// this checkpoint.
func (c *checkpointer) days() map[string]map[schema.Day]int {
	list := maps.Clone(c.carriedDays)
	if list == nil {
		list = map[string]map[schema.Day]int{}
	}
	oldest := c.oldest()
	for name, record := range c.schedule.Days() {
		if name.Day < oldest || record.Exports == 0 && record.State == ledger.Pending {
			continue // out of reach, or not written yet
		}
		if list[name.Stream] == nil {
			list[name.Stream] = map[schema.Day]int{}
		}
		list[name.Stream][name.Day] = record.From
	}
	return list
}
