package pipeline

import (
	"context"
	"slices"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// How long the ledger keeps records that are no longer needed. A minimum number of
// days' records per stream is kept regardless of their age: a clock that is years ahead
// must not delete the days in reach.
const (
	daysKept     = 400
	commandsKept = 30 * 24 * time.Hour
)

// prune deletes old days and commands from the ledger, to limit what a start must read.
func (o *owner) prune(ctx context.Context, state *ledger.State) error {
	days, commands := prunable(state, time.Now(), o.config.Location)
	if len(days)+len(commands) == 0 {
		return nil
	}
	for _, name := range days {
		if err := o.writer.ForgetDay(name); err != nil {
			return err
		}
		o.schedule.Forget(name)
		o.transfers.Forget(name)
	}
	for _, id := range commands {
		if err := o.writer.ForgetCommand(id); err != nil {
			return err
		}
	}
	o.log.Info("old records are deleted from the ledger", "days", len(days), "commands", len(commands))
	return o.session.Flush(ctx, o.writer.State)
}

// prunable returns the days and commands that are no longer needed. While a command is
// in progress there are none: it may replay an old day, whose record shows what it has
// published.
func prunable(state *ledger.State, now time.Time, loc *time.Location) (days []ledger.DayName, commands []string) {
	byStream := map[string][]schema.Day{}
	for name := range state.Days {
		byStream[name.Stream] = append(byStream[name.Stream], name.Day)
	}
	for id, c := range state.Commands {
		if c.Done == nil {
			return nil, nil
		}
		if now.Sub(*c.Done) > commandsKept {
			commands = append(commands, id)
		}
	}
	before := schema.DayOf(now, loc) - daysKept
	for stream, all := range byStream {
		slices.Sort(all)
		for _, day := range all[:max(0, len(all)-daysKept)] {
			if day < before {
				days = append(days, ledger.DayName{Stream: stream, Day: day})
			}
		}
	}
	return days, commands
}
