package pipeline

import (
	"context"
	"time"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
)

// standBy waits, after another instance has taken over, until that one has sent no heartbeat for StandbyAfter or has shut down cleanly.
// Silence is counted by this machine's clock from when a heartbeat was first seen: clocks need not agree.
func (s *Service) standBy(ctx context.Context, why error) error {
	s.Log.Warn("standby: another instance owns the service", "service", s.ID, "instance", s.Instance, "error", why,
		"do", "nothing, if two replicas are meant; else stop the one that is not wanted")
	s.setStandby(nil)
	stored := s.Ledger()
	for ctx.Err() == nil {
		state, err := stored.Load(ctx)
		if err == nil {
			if state.Owner != nil {
				s.Log.Info("standby", "owner", state.Owner.Instance, "host", state.Owner.Host, "version", state.Owner.Version, "since", state.Owner.Since)
			}
			return s.awaitSilence(ctx, stored, state)
		}
		if final(err) {
			return err
		}
		s.Log.Warn("standby can't read the ledger", "error", err, "do", remedy(err, lookAgain))
		pause(ctx, time.Second)
	}
	return nil
}

// awaitSilence follows the owner's record from state on until it is silent for StandbyAfter.
func (s *Service) awaitSilence(ctx context.Context, stored *store.Ledger, state *ledger.State) error {
	heard := time.Now()
	beat := func() (time.Time, string) {
		if state.Owner == nil {
			return time.Time{}, ""
		}
		return state.Owner.Beat, state.Owner.Instance
	}
	last, _ := beat()
	every := min(s.OwnerHeartbeat, s.StandbyAfter/4)
	for ctx.Err() == nil {
		s.setStandby(state.Owner)
		if state.Owner != nil && state.Owner.Released && state.Owner.Instance != s.Instance {
			s.Log.Info("the owner has ended in order", "owner", state.Owner.Instance)
			return nil
		}
		if time.Since(heard) >= s.StandbyAfter {
			s.Log.Warn("the owner has been silent: taking over", "for", s.StandbyAfter.String(), "last_beat", last,
				"do", "see why the owner fell silent: its log, its machine")
			return nil
		}
		pause(ctx, every)
		log, err := s.Cluster.Log(ctx, recordbatch.TopicPartition{Topic: stored.Topic, Partition: state.Partition})
		if err == nil {
			err = stored.Follow(ctx, state, state.Partition, state.End, log.End)
		}
		switch {
		case err != nil && final(err):
			return err
		case err != nil:
			// A missing heartbeat means nothing while Kafka can't be read.
			s.Log.Warn("standby can't read the ledger", "error", err, "do", remedy(err, lookAgain))
			heard = time.Now()
			continue
		}
		state.End = log.End
		if b, _ := beat(); !b.Equal(last) {
			last, heard = b, time.Now()
		}
	}
	return nil
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
