package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/transfer"
)

// checkpoint is the barrier of the service: no row is on its way, everything appended is acknowledged; then the new fingerprints
// are written, then the days that they belong to, and last how far the topics are accounted for. A crash between any two of these
// leaves a ledger that is behind the topics, never ahead, and the next restore reads the difference back from them.
func (t *tenure) checkpoint(ctx context.Context) error {
	defer t.transfers.Pause()()
	if err := t.session.Flush(ctx); err != nil {
		return fmt.Errorf("checkpoint: await acknowledgements: %w", err)
	}
	t.service.step("flushed")
	days := t.gather()
	if err := t.saveFingerprints(ctx, days); err != nil {
		return fmt.Errorf("checkpoint: write fingerprints: %w", err)
	}
	t.service.step("fingerprints")
	for _, d := range days {
		record := t.schedule.Day(d.Name)
		if err := t.writer.Day(d.Name, &record); err != nil {
			return fmt.Errorf("checkpoint: %w", err)
		}
	}
	t.service.step("days")
	t.refreshServiceRecord()
	if err := t.writer.Service(&t.serviceRecord); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	record, err := t.mark(ctx)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := t.writer.Checkpoint(record); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	if err := t.session.Flush(ctx, t.writer.State); err != nil {
		return fmt.Errorf("checkpoint: await acknowledgements: %w", err)
	}
	t.service.step("checkpointed")
	t.schedule.Saved()
	return nil
}

// gather brings the days' records up to what their exports have done, and returns those that have changed. All exports are paused, and
// everything that they appended is acknowledged.
func (t *tenure) gather() []*transfer.Day {
	for _, p := range t.transfers.Collect() {
		t.service.counts.rows(p.Day.Stream, p.News)
		t.schedule.Progress(p.Day, p.News.Published, p.News.NewBad, p.Lost)
		if p.Ended != nil {
			t.conclude(p.Day, p.Ended)
		}
	}
	var days []*transfer.Day
	changed := map[ledger.DayName]bool{}
	for name := range t.schedule.Changed() {
		changed[name] = true
		days = append(days, t.transfers.Day(name))
	}
	for d := range t.transfers.Days {
		if d.Rows.Dirty() && !changed[d.Name] {
			days = append(days, d)
		}
	}
	return days
}

// saveFingerprints writes the days' new fingerprints and enters where they stand into the days' records.
func (t *tenure) saveFingerprints(ctx context.Context, days []*transfer.Day) error {
	fresh := slices.DeleteFunc(slices.Clone(days), func(d *transfer.Day) bool { return !d.Rows.Dirty() })
	if len(fresh) == 0 {
		return nil
	}
	before, err := t.position(ctx, t.rowsAt)
	if err != nil {
		return err
	}
	// Fingerprints that an attempt left behind without its checkpoint stand in the topic, but are written again: no range may reach
	// over them.
	since := before.Next
	if t.rowsWhole {
		since = t.rowsSince
	}
	t.rowsWhole = false
	for _, d := range fresh {
		if err := t.writer.Save(d.Name, t.schedule.Day(d.Name).Generation, &d.Rows); err != nil {
			return err
		}
	}
	if err := t.session.Flush(ctx, t.writer.Rows); err != nil {
		return err
	}
	after, err := t.position(ctx, t.rowsAt)
	if err != nil {
		return err
	}
	t.rowsWhole, t.rowsSince = true, since
	// Acknowledged: not before may the record let go of its former ranges. Whatever failed until here is tried again.
	for _, d := range fresh {
		ranges := slices.Clone(t.schedule.Day(d.Name).Fingerprints)
		if d.Rows.Rewriting() {
			ranges = nil
		}
		if after.Next > before.Next { // else the days' sets are empty
			ranges = ledger.Extend(ranges, t.rowsAt.Partition, since, before.Next, after.Next)
		}
		t.schedule.SetFingerprints(d.Name, ranges)
		d.Rows.Saved()
	}
	return nil
}

// position is how far a partition is written and acknowledged. Where the broker's answer did not tell, its log is asked.
func (t *tenure) position(ctx context.Context, p cluster.TopicPartition) (recordbatch.Position, error) {
	position, written := t.session.Position(p)
	if !written {
		var known bool
		if position, known = t.marks[p]; known {
			return position, nil
		}
		position.Next = -1
	}
	if position.Next < 0 {
		log, err := t.service.Cluster.Log(ctx, p)
		if err != nil {
			return position, err
		}
		position = recordbatch.Position{Next: log.End, Last: -1}
	}
	t.marks[p] = position
	return position, nil
}

// mark is the checkpoint of everything that this service writes; the state topic itself needs none. No mark is ever dropped: without
// one, the next restore reads a partition from its start, and counts rows a second time whose fingerprints the ledger has.
func (t *tenure) mark(ctx context.Context) (*ledger.Checkpoint, error) {
	record := &ledger.Checkpoint{At: time.Now().UTC(), Days: t.checkpointDays()}
	for _, p := range t.written {
		if _, restored := t.marks[p]; p == t.stateAt || !restored && p != t.rowsAt {
			continue
		}
		position, err := t.position(ctx, p)
		if err != nil {
			return nil, err
		}
		m := ledger.Mark{Topic: p.Topic, Partition: p.Partition, Next: position.Next}
		if position.Last >= 0 && p != t.rowsAt {
			m.ID, m.Last = position.LastID, position.Last
		}
		record.Partitions = append(record.Partitions, m)
	}
	for _, m := range t.carried {
		record.Partitions = append(record.Partitions, m)
	}
	return record, nil
}

// checkpointIfChanged leaves a ledger alone that has nothing to add.
func (t *tenure) checkpointIfChanged(ctx context.Context) error {
	for range t.schedule.Changed() {
		return t.checkpoint(ctx)
	}
	if t.transfers.Unsaved() {
		return t.checkpoint(ctx)
	}
	return nil
}
