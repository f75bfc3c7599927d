package pipeline

import (
	"context"
	"fmt"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/transfer"
)

// checkpoint is the barrier of the service: no row is in progress, everything appended
// is acknowledged; then the new fingerprints are written, then the days that they
// belong to, and last how far the topics are accounted for. A crash between any two of
// these leaves a ledger that is behind the topics, never ahead, and the next restore
// reads the difference back from them.
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

// collectChanges brings the days' records up to what their exports have done, and
// returns those that have changed. All exports are paused, and everything that they
// appended is acknowledged.
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

// checkpointIfChanged leaves a ledger alone that has nothing to add.
func (o *owner) checkpointIfChanged(ctx context.Context) error {
	for range o.schedule.Changed() {
		return o.checkpoint(ctx)
	}
	if o.transfers.Unsaved() {
		return o.checkpoint(ctx)
	}
	return nil
}
