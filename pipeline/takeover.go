package pipeline

import (
	"context"
	"fmt"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
)

// open makes this instance the owner: topics, fence, restore. From the returned ownership on everything in Kafka is accounted for.
// It takes over as the identity that it is given and leaves there, whatever fails later, the one to go on with: the broker takes no older.
func (s *Service) open(ctx context.Context, as *producer.Identity) (*owner, error) {
	topics, err := s.prepareTopics(ctx)
	if err != nil {
		return nil, err
	}
	stored := s.Ledger()
	before, err := stored.Load(ctx)
	if err != nil {
		return nil, err
	}
	s.setRestoring()
	at := newPartitions(s, stored, topics, before.Partition)
	session, err := s.takeOver(ctx, as, at, stored, before)
	if err != nil {
		return nil, err
	}
	o := newOwner(s, stored, session, at)
	if err := o.begin(ctx, topics, before); err != nil {
		session.Close()
		return nil, err
	}
	return o, nil
}

// takeOver raises the fence over every partition that will be written.
func (s *Service) takeOver(ctx context.Context, as *producer.Identity, at *partitions, stored *store.Ledger, before *ledger.State) (*producer.Session, error) {
	if s.AtLeastOnce {
		s.Log.Warn("DELIVERY=at-least-once: no instance is fenced, two at once may publish rows twice",
			"do", "have consumers deduplicate by the header id, or allow transactional ids and set exactly-once")
	}
	fence := &producer.Fence{Cluster: s.Cluster, TransactionalID: s.transactionalID(), Codec: s.Codec, Log: s.Log, Meter: &s.meter, Patience: s.Patience}
	session, err := fence.TakeOver(ctx, *as, at.all)
	if err != nil {
		return nil, fmt.Errorf("take over service %s: %w", s.ID, err)
	}
	first := *as == producer.NoIdentity()
	if !first {
		*as = session.Identity()
	}
	s.step("fenced")
	err = s.ensureOwned(session, at)
	if err == nil && first {
		err = s.awaitUnfenced(ctx, session, stored, before)
	}
	if err != nil {
		session.Close()
		return nil, err
	}
	*as = session.Identity() // not before the former owner is known to be out
	return session, nil
}

// ensureOwned refuses to go on without the partitions that every stream needs: the ledger's and the dead letters'.
func (s *Service) ensureOwned(session *producer.Session, at *partitions) error {
	for _, p := range at.own() {
		if why := session.Unfenced(p); why != nil {
			return fmt.Errorf("take over service %s: %v can't be fenced now: %w", s.ID, p, why)
		}
	}
	return nil
}

// awaitUnfenced waits until the heartbeats stop of a former owner that is not fenced: a new producer id does not fence the old one.
func (s *Service) awaitUnfenced(ctx context.Context, session *producer.Session, stored *store.Ledger, before *ledger.State) error {
	owner := before.Owner
	if owner == nil || s.AtLeastOnce || owner.ProducerID == session.Identity().ID {
		return nil
	}
	s.Log.Warn("the broker gave another producer id, so the former owner is not fenced: waiting until it has been silent",
		"owner", owner.Instance, "beat", owner.Beat, "for", s.StandbyAfter.String(),
		"do", "nothing; stop the former owner if it still runs, then this is over at once")
	return s.awaitSilence(ctx, stored, before)
}
