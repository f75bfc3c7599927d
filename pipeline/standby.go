package pipeline

import (
	"context"
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/ledger"
)

// standby follows what the ledger says of the service's owner until that owner is
// silent, or has ended in order. Silence is counted by this machine's clock from when a
// heartbeat was first seen: clocks need not agree.
type standby struct {
	service, instance string        // this instance's
	ledger            ownerLedger   // where the owner's heartbeats are
	after             time.Duration // of silence
	every             time.Duration // between two looks
	show              func(*ledger.Owner)
	log               *slog.Logger
}

// ownerLedger is what a standby reads: a *store.Ledger.
type ownerLedger interface {
	Load(context.Context) (*ledger.State, error)
	// CatchUp takes what was written since into state.
	CatchUp(ctx context.Context, state *ledger.State) error
}

func newStandby(c *Config, v *view) *standby {
	return &standby{
		service: c.ID, instance: c.Instance, ledger: c.Ledger(), after: c.StandbyAfter, every: min(c.OwnerHeartbeat, c.StandbyAfter/4),
		show: v.showStandby, log: c.Log,
	}
}

// wait waits, after another instance has taken over, until that one is silent. why is
// how this one learned of it.
func (b *standby) wait(ctx context.Context, why error) error {
	b.log.Warn("standby: another instance owns the service", "service", b.service, "instance", b.instance, "error", why,
		"do", "nothing, if two replicas are meant; else stop the one that is not wanted")
	b.show(nil)
	for ctx.Err() == nil {
		state, err := b.ledger.Load(ctx)
		if err == nil {
			if state.Owner != nil {
				b.log.Info("standby", "owner", state.Owner.Instance, "host", state.Owner.Host, "version", state.Owner.Version, "since", state.Owner.Since)
			}
			return b.awaitSilence(ctx, state)
		}
		if final(err) {
			return err
		}
		b.log.Warn("standby can't read the ledger", "error", err, "do", remedy(err, lookAgain))
		pause(ctx, time.Second)
	}
	return nil
}

// awaitSilence follows the owner's record from state on until the owner is silent, or
// has ended in order.
func (b *standby) awaitSilence(ctx context.Context, state *ledger.State) error {
	heard, last := time.Now(), beatOf(state.Owner)
	for ctx.Err() == nil {
		b.show(state.Owner)
		if state.Owner != nil && state.Owner.Released && state.Owner.Instance != b.instance {
			b.log.Info("the owner has ended in order", "owner", state.Owner.Instance)
			return nil
		}
		if time.Since(heard) >= b.after {
			b.log.Warn("the owner has been silent: taking over", "for", b.after.String(), "last_beat", last,
				"do", "see why the owner fell silent: its log, its machine")
			return nil
		}
		pause(ctx, b.every)
		err := b.ledger.CatchUp(ctx, state)
		switch {
		case err != nil && final(err):
			return err
		case err != nil:
			// A missing heartbeat means nothing while Kafka can't be read.
			b.log.Warn("standby can't read the ledger", "error", err, "do", remedy(err, lookAgain))
			heard = time.Now()
		case !beatOf(state.Owner).Equal(last):
			last, heard = beatOf(state.Owner), time.Now()
		}
	}
	return nil
}

// beatOf is the owner's last heartbeat; the zero time without an owner.
func beatOf(owner *ledger.Owner) time.Time {
	if owner == nil {
		return time.Time{}
	}
	return owner.Beat
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
