package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
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
	t.adopt(state)
	for _, st := range t.streams {
		if h := st.kept.Halted; h != nil && h.Code == codeExclusive {
			st.kept.Halted = nil // it is configured anew with each start
		}
	}
	if err := t.writers(); err != nil {
		return err
	}
	now := time.Now().UTC()
	t.owner = ledger.Owner{Instance: s.Instance, Host: s.Host, Version: s.Version, Since: now, ProducerID: t.session.Identity().ID}
	if err := t.beat(ctx); err != nil {
		return err
	}
	s.step("owner")
	marks := state.Checkpoint.Marks()
	tails := tails{tenure: t, tail: map[ledger.DayName]*tail{}, gone: t.gone(state), empty: state.Checkpoint == nil}
	if tails.empty {
		t.log.Info("the ledger is empty: reading what the topics hold of this service")
	}
	tails.missing(marks)
	for _, p := range t.written[2:] {
		if err := tails.read(ctx, p, marks); err != nil {
			return err
		}
	}
	tails.enter()
	t.source, err = s.NewSource(t.serviceRecord.Source)
	if err != nil {
		return fmt.Errorf("%w: %w", errSource, err)
	}
	s.step("restored")
	if err := t.checkpoint(ctx); err != nil {
		return err
	}
	return t.prune(ctx, state)
}

// adopt takes over what the ledger says, as far as a checkpoint confirms it.
func (t *tenure) adopt(state *ledger.State) {
	for name := range state.Days {
		if st := t.stream(name.Stream); st != nil {
			st.day(name.Day).record = state.Confirmed(name, t.books.Rows)
		}
	}
	if state.Service != nil {
		t.serviceRecord = *state.Service
	}
	today := schema.DayOf(time.Now(), t.service.Location)
	for _, st := range t.streams {
		st.kept = t.serviceRecord.Streams[st.Name]
		if from, ok := t.serviceRecord.DueFrom[st.Name]; ok && from.Start == st.startName() {
			st.dueFrom = from.Day
		}
		t.judgeIdentity(st, today)
	}
	t.commands = state.InOrder()
	t.dropFuture(time.Now().UTC())
	t.end = state.End
}

// judgeIdentity starts the stream's days in reach anew, which have rows or had none, when what their rows' fingerprints depend on has
// changed. Those before START keep their state: they are published anew when a command asks for them.
func (t *tenure) judgeIdentity(st *stream, today schema.Day) {
	id := st.identity()
	if st.kept.Identity != "" && st.kept.Identity != id {
		days := 0
		for day, d := range st.days {
			r := &d.record
			exported := r.State == ledger.Open || r.State == ledger.Settled
			switch {
			case day < today-schema.Reach || !exported && r.Published+r.Bad == 0:
			case day < st.first(today):
				d.forgetRows("identity " + id)
			default:
				d.newGeneration("identity " + id)
				days++
			}
		}
		t.log.Warn("the stream's properties or topic have changed: its days in reach are published anew", "stream", st.Name, "days", days,
			"do", "nothing, if that was meant; consumers meet rows of these days again, under other ids")
	}
	st.kept.Identity = id
}
