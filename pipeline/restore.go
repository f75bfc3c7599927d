package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
)

// restore brings the ledger up to what the topics hold: everything behind the last checkpoint's offsets is read back by the
// records' headers, and a checkpoint is written. The session's fence stands already, so the ends of the logs are final.
func (t *tenure) restore(ctx context.Context, state *ledger.State) error {
	s := t.service
	log, err := s.Cluster.Log(ctx, t.stateAt)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if err := t.books.Follow(ctx, state, state.Partition, state.End, log.End); err != nil {
		return err
	}
	t.tell(t.adopt(state))
	t.schedule.ForgetExclusive()
	if err := t.writers(); err != nil {
		return err
	}
	now := time.Now().UTC()
	t.owner = ledger.Owner{Instance: s.Instance, Host: s.Host, Version: s.Version, Since: now, ProducerID: t.session.Identity().ID}
	if err := t.beat(ctx); err != nil {
		return err
	}
	s.step("owner")
	if err := t.recover(ctx, state); err != nil {
		return err
	}
	t.source, err = s.NewSource(t.serviceRecord.Source, t.serviceRecord.LineEnds)
	if err != nil {
		return fmt.Errorf("%w: %w", errSource, err)
	}
	t.acceptCuts(now)
	s.step("restored")
	if err := t.checkpoint(ctx); err != nil {
		return err
	}
	return t.prune(ctx, state)
}

// adopt takes over what the ledger says, as far as a checkpoint confirms it.
func (t *tenure) adopt(state *ledger.State) []schedule.Event {
	now := time.Now().UTC()
	if state.Service != nil {
		t.serviceRecord = *state.Service
	}
	t.noteFormats(t.serviceRecord.Streams)
	events := t.schedule.Load(&t.serviceRecord, confirmed(state, t.books.Rows), now)
	t.commands.Load(state, now)
	return events
}

// confirmed are the days' records as far as the newest checkpoint confirms them.
func confirmed(state *ledger.State, rows string) map[ledger.DayName]ledger.Day {
	days := make(map[ledger.DayName]ledger.Day, len(state.Days))
	for name := range state.Days {
		days[name] = state.Confirmed(name, rows)
	}
	return days
}
