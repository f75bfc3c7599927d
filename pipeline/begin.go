package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
)

// begin makes streams wait whose topics can't be written, and recovers the ledger.
func (o *owner) begin(ctx context.Context, taken *ownership) error {
	if err := o.topics.setLimits(ctx); err != nil {
		return err
	}
	for i := range o.config.Streams {
		st := &o.config.Streams[i]
		o.topics.blockIfUnwritable(st, taken.topics[st.Topic])
	}
	return o.recover(ctx, taken.before)
}

// recover brings the ledger up to date with the topics: it reads everything after the
// last checkpoint's offsets, using the records' headers, and writes a checkpoint. The
// partitions are already fenced, so the ends of the logs are final.
func (o *owner) recover(ctx context.Context, state *ledger.State) error {
	c := o.config
	if err := o.writer.Ledger.CatchUp(ctx, state); err != nil {
		return fmt.Errorf("read the ledger after fencing: %w", err)
	}
	o.announcer.announce(o.loadState(state))
	o.schedule.ForgetExclusive()
	if err := o.openSenders(); err != nil {
		return err
	}
	now := time.Now().UTC()
	o.heartbeat.begin(c, now)
	if err := o.heartbeat.beat(ctx); err != nil {
		return err
	}
	c.step("owner")
	r := newRecoverer(o)
	err := o.heartbeat.during(ctx, c.OwnerHeartbeat, func(ctx context.Context) error { return r.recover(ctx, state) })
	if err != nil {
		return err
	}
	source, err := c.NewSource(o.record.content.Source, o.record.content.LineEnds)
	if err != nil {
		return fmt.Errorf("%w: %w", errSource, err)
	}
	o.record.source, o.exports.source = source, source
	o.exports.acceptCuts(now)
	c.step("restored")
	if err := o.checkpoint(ctx); err != nil {
		return err
	}
	return o.prune(ctx, state)
}

// loadState loads the ledger's state, as confirmed by a checkpoint.
func (o *owner) loadState(state *ledger.State) []schedule.Event {
	now := time.Now().UTC()
	if state.Service != nil {
		o.record.content = *state.Service
	}
	o.profiles.forgetMarks()
	o.record.noteFormats(o.config.Streams, o.record.content.Streams)
	events := o.schedule.Load(&o.record.content, confirmed(state, o.writer.Ledger.Rows), now)
	o.profiles.publishWhole(now)
	o.commands.Load(state, now)
	return events
}

// confirmed returns the days' records as confirmed by the newest checkpoint.
func confirmed(state *ledger.State, rows string) map[ledger.DayName]ledger.Day {
	days := make(map[ledger.DayName]ledger.Day, len(state.Days))
	for name := range state.Days {
		days[name] = state.Confirmed(name, rows)
	}
	return days
}
