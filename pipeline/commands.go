package pipeline

import (
	"context"
	"time"
)

// pollCommands reads new commands and executes what it can.
func (t *tenure) pollCommands(ctx context.Context) error {
	if err := t.commands.Poll(ctx); err != nil {
		return err
	}
	return t.executeCommands(ctx)
}

// executeCommands brings each command as far as it goes now, and writes what has changed of it.
func (t *tenure) executeCommands(ctx context.Context) error {
	for c := range t.commands.Step(ctx) {
		// What the command did to days and streams is in the ledger before the command says so.
		if err := t.checkpoint(ctx); err != nil {
			return err
		}
		t.service.step("command")
		if err := t.writer.Command(c); err != nil {
			return err
		}
		if err := t.session.Flush(ctx, t.writer.State); err != nil {
			return err
		}
	}
	return nil
}

// resume has a stream go on at once.
func (t *tenure) resume(stream string, now time.Time) {
	t.acceptIDs(stream)
	t.schedule.Resume(stream, now.UTC())
	t.source.RetryToken(now)
}
