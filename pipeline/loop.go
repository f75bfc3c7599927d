package pipeline

import (
	"context"
	"errors"
	"time"
)

// timers trigger the periodic work of the loop.
type timers struct {
	checkpoint, renewal, beat, poll <-chan time.Time
	wake                            *time.Timer // for the next export
}

func newTimers(c *Config) *timers {
	return &timers{
		checkpoint: time.Tick(c.CheckpointInterval), renewal: time.Tick(c.FenceRenewal),
		beat: time.Tick(c.OwnerHeartbeat), poll: time.Tick(c.CommandPoll), wake: time.NewTimer(0),
	}
}

// run is the owner's loop. It returns nil when ctx has ended and everything is in the
// ledger, or why the ownership has ended.
func (o *owner) run(ctx context.Context) error {
	exporting, stop := context.WithCancel(ctx)
	defer o.wait()
	defer o.session.Close() // wakes an export that waits for a partition that accepts no records
	defer stop()
	timers := newTimers(o.config)
	o.watching.Go(func() { watch(exporting, o.session, o.log) })
	defer o.limitShutdown(ctx)()
	o.log.Info("owner", "service", o.config.ID, "instance", o.config.Instance, "producer", o.session.Identity().String())
	// Execute commands that arrived while there was no owner before the first export: a
	// pause, or work for which run --once would otherwise not wait.
	if err := o.pollCommands(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	for {
		over, err := o.turn(ctx, exporting, timers)
		switch {
		case over:
			stop()
			return errors.Join(o.drain(ctx), err)
		case err != nil && ctx.Err() == nil:
			return err
		}
	}
}

// turn waits for the next event and handles it. The ownership is over when ctx has
// ended, or with Once; err is then the work left.
func (o *owner) turn(ctx, exporting context.Context, timers *timers) (over bool, err error) {
	var ended *outcome
	select {
	case <-ctx.Done():
		return true, nil
	case <-o.session.Done():
		if ctx.Err() != nil {
			return true, nil
		}
		return false, o.session.Err()
	case e := <-o.transfers.Ended():
		ended, err = o.finish(ctx, e)
	case c := <-o.calls:
		err = c.run(ctx)
	case <-o.transfers.Full():
		err = o.checkpoint(ctx)
	case <-timers.checkpoint:
		err = o.checkpointIfChanged(ctx)
	case <-timers.beat:
		err = o.onHeartbeat(ctx)
	case <-timers.renewal:
		err = o.renew(ctx)
	case <-timers.poll:
		err = o.pollCommands(ctx)
	case <-timers.wake.C:
	}
	if err == nil {
		err = o.startDue(ctx, exporting, timers.wake)
	}
	if ended != nil {
		o.announcer.report(ended, o.exports.waits)
	}
	o.status.publish(o.exports.waits, time.Now())
	if err == nil && o.config.Once != nil && o.transfers.Idle() {
		var left error
		if over, left, err = o.onceEnd(ctx); over {
			return true, left
		}
	}
	return false, err
}

// startDue starts the exports that may start now, and sets wake for the next attempt.
func (o *owner) startDue(ctx, exporting context.Context, wake *time.Timer) error {
	next, err := o.exports.startAll(ctx, exporting)
	wake.Reset(max(0, time.Until(next)))
	if err != nil {
		return err
	}
	return o.record.setWait(ctx, o.exports.waits) // with the next heartbeat it would be half a minute late
}

// pollCommands reads new commands and executes what it can.
func (o *owner) pollCommands(ctx context.Context) error {
	if err := o.commands.Poll(ctx); err != nil {
		return err
	}
	return o.executeCommands(ctx)
}

// executeCommands executes each command as far as possible, and writes the changed
// ones.
func (o *owner) executeCommands(ctx context.Context) error {
	for c := range o.commands.Step(ctx) {
		// The effects of the command on days and streams must be in the ledger before
		// its result.
		if err := o.checkpoint(ctx); err != nil {
			return err
		}
		o.config.step("command")
		if err := o.writer.Command(c); err != nil {
			return err
		}
		if err := o.session.Flush(ctx, o.writer.State); err != nil {
			return err
		}
	}
	return nil
}
