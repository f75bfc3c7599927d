package pipeline

import (
	"context"
	"fmt"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/transfer"
)

// checkpoint is the barrier of the service: no row is in progress, and everything
// appended is acknowledged. It then writes the new fingerprints, then their days, and
// last the positions up to which the topics are accounted for. A crash between any two
// of these leaves a ledger that is behind the topics, never ahead of them, and the next
// owner recovers the difference from the topics.
func (o *owner) checkpoint(ctx context.Context) error {
	defer o.transfers.Pause()()
	if err := o.session.Flush(ctx); err != nil {
		return fmt.Errorf("checkpoint: await acknowledgements: %w", err)
	}
	o.config.step("flushed")
	if err := o.checkpoints.write(ctx, o.collectChanges(), o.record.refresh); err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	o.schedule.Saved()
	return nil
}

// collectChanges updates the days' records with what their exports have done, and
// returns the changed days. All exports must be paused, and everything that they
// appended must be acknowledged.
func (o *owner) collectChanges() []*transfer.Day {
	for _, p := range o.transfers.Collect() {
		o.counts.rows(p.Day.Stream, p.News)
		o.schedule.Day(p.Day).Progress(p.News.Published, p.News.NewBad, p.Lost)
		if p.Ended != nil {
			o.applyOutcome(p.Day, p.Ended)
		}
	}
	var days []*transfer.Day
	changed := map[ledger.DayName]bool{}
	for name := range o.schedule.Changed() {
		changed[name] = true
		days = append(days, o.transfers.Day(name))
	}
	for d := range o.transfers.Days {
		if d.Rows.Dirty() && !changed[d.Name] {
			days = append(days, d)
		}
	}
	return days
}

// checkpointIfChanged writes a checkpoint only if there is something to add.
func (o *owner) checkpointIfChanged(ctx context.Context) error {
	if !o.schedule.Unsaved() && !o.transfers.Unsaved() {
		return nil
	}
	return o.checkpoint(ctx)
}
