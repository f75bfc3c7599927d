package pipeline

import (
	"context"
	"log/slog"
	"time"

	"dfinery-kafka/pipeline/ledger"
)

// standby follows the owner's record in the ledger until that owner is silent, or has
// ended cleanly. Silence is measured by this machine's clock from when a heartbeat was
// first seen, so that clocks need not agree.
type standby struct {
	service, instance string        // this instance's
	ledger            ownerLedger   // with the owner's heartbeats
	after             time.Duration // of silence
	every             time.Duration // between two reads
	show              func(*ledger.Owner)
	log               *slog.Logger
}

// ownerLedger is what a standby reads: a *store.Ledger.
type ownerLedger interface {
	Load(context.Context) (*ledger.State, error)
	// CatchUp applies what was written since to state.
	CatchUp(ctx context.Context, state *ledger.State) error
}

func newStandby(c *Config, v *view) *standby {
	return &standby{
		service: c.ID, instance: c.Instance, ledger: c.Ledger(), after: c.StandbyAfter, every: min(c.OwnerHeartbeat, c.StandbyAfter/4),
		show: v.showStandby, log: c.Log,
	}
}

// wait waits, after another instance has taken over, until that one is silent. why is
// the error that showed the takeover.
func (b *standby) wait(ctx context.Context, why error) error {
	b.log.Warn("standby: another instance owns the service", "service", b.service, "instance", b.instance, "error", why,
		"do", "nothing, if two replicas are intended; otherwise stop one of them")
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
		b.log.Warn("standby can't read the ledger", "error", err, "do", remedy(err, unlessItPersists))
		pause(ctx, time.Second)
	}
	return nil
}

// awaitSilence follows the owner's record from state on until the owner is silent, or
// has ended cleanly.
func (b *standby) awaitSilence(ctx context.Context, state *ledger.State) error {
	heard, last := time.Now(), beatOf(state.Owner)
	for ctx.Err() == nil {
		b.show(state.Owner)
		if state.Owner != nil && state.Owner.Released && state.Owner.Instance != b.instance {
			b.log.Info("the owner has ended cleanly", "owner", state.Owner.Instance)
			return nil
		}
		if time.Since(heard) >= b.after {
			b.log.Warn("the owner has been silent: taking over", "for", b.after.String(), "last_beat", last,
				"do", "find out why the owner stopped sending heartbeats: check its log and its machine")
			return nil
		}
		pause(ctx, b.every)
		err := b.ledger.CatchUp(ctx, state)
		switch {
		case err != nil && final(err):
			return err
		case err != nil:
			// A missing heartbeat proves nothing while Kafka can't be read.
			b.log.Warn("standby can't read the ledger", "error", err, "do", remedy(err, unlessItPersists))
			heard = time.Now()
		case !beatOf(state.Owner).Equal(last):
			last, heard = beatOf(state.Owner), time.Now()
		}
	}
	return nil
}

// beatOf returns the owner's last heartbeat; the zero time without an owner.
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
