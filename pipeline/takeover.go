package pipeline

import (
	"context"
	"fmt"
	"log/slog"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// takeover makes this instance the owner of the service: topics, ledger, fence. It
// remembers as which producer this instance owned the service, from one ownership to
// the next.
type takeover struct {
	service     string
	atLeastOnce bool // without a fence
	topics      *topicCreator
	ledger      *store.Ledger
	partitions  func(topics map[string]cluster.Topic, state int) *partitions // that the owner writes; state is the ledger's partition
	fence       *producer.Fence
	standby     *standby
	restoring   func() // Kafka is reached
	step        func(name string)
	log         *slog.Logger

	identity producer.Identity // that it goes on with: the broker takes no older
}

// ownership is what a takeover has obtained.
type ownership struct {
	topics     map[string]cluster.Topic
	before     *ledger.State // the ledger, as it was before the fence
	partitions *partitions
	session    *producer.Session
}

func newTakeover(c *Config, v *view, topics *topicCreator, b *standby) *takeover {
	stored := c.Ledger()
	return &takeover{
		service: c.ID, atLeastOnce: c.AtLeastOnce, topics: topics, ledger: stored, standby: b, restoring: v.showRestoring, step: c.step, log: c.Log,
		partitions: func(topics map[string]cluster.Topic, state int) *partitions {
			return newPartitions(c, stored, topics, state)
		},
		fence:    &producer.Fence{Cluster: c.Cluster, TransactionalID: c.transactionalID(), Codec: c.Codec, Log: c.Log, Meter: &v.meter, Patience: c.Patience},
		identity: producer.NoIdentity(),
	}
}

// take takes the service over. From then on nobody else writes to its partitions, and
// what the topics hold is final.
func (t *takeover) take(ctx context.Context) (*ownership, error) {
	topics, err := t.topics.prepare(ctx)
	if err != nil {
		return nil, err
	}
	before, err := t.ledger.Load(ctx)
	if err != nil {
		return nil, err
	}
	t.restoring()
	at := t.partitions(topics, before.Partition)
	session, err := t.raise(ctx, at, before)
	if err != nil {
		return nil, err
	}
	return &ownership{topics: topics, before: before, partitions: at, session: session}, nil
}

// ended notes as which producer an ownership has ended.
func (t *takeover) ended(as producer.Identity) { t.identity = as }

// fenced notes that another instance has taken over: the next takeover fences it.
func (t *takeover) fenced() { t.identity = producer.NoIdentity() }

// raise raises the fence over every partition that will be written. Whatever fails
// later, the identity is the one to go on with.
func (t *takeover) raise(ctx context.Context, at *partitions, before *ledger.State) (*producer.Session, error) {
	if t.atLeastOnce {
		t.log.Warn("DELIVERY=at-least-once: no instance is fenced, two at once may publish rows twice",
			"do", "have consumers deduplicate by the header id, or allow transactional ids and set exactly-once")
	}
	session, err := t.fence.TakeOver(ctx, t.identity, at.all)
	if err != nil {
		return nil, fmt.Errorf("take over service %s: %w", t.service, err)
	}
	first := t.identity == producer.NoIdentity()
	if !first {
		t.identity = session.Identity()
	}
	t.step("fenced")
	err = t.ensureOwned(session, at.own())
	if err == nil && first {
		err = t.awaitUnfenced(ctx, session.Identity(), before)
	}
	if err != nil {
		session.Close()
		return nil, err
	}
	t.identity = session.Identity() // not before the former owner is known to be out
	return session, nil
}

// ensureOwned refuses to go on without the partitions that every stream needs: the
// ledger's and the dead letters'.
func (t *takeover) ensureOwned(session *producer.Session, own []recordbatch.TopicPartition) error {
	for _, p := range own {
		if why := session.Unfenced(p); why != nil {
			return fmt.Errorf("take over service %s: %v can't be fenced now: %w", t.service, p, why)
		}
	}
	return nil
}

// awaitUnfenced waits until the heartbeats stop of a former owner that is not fenced: a
// new producer id does not fence the old one.
func (t *takeover) awaitUnfenced(ctx context.Context, as producer.Identity, before *ledger.State) error {
	owner := before.Owner
	if owner == nil || t.atLeastOnce || owner.ProducerID == as.ID {
		return nil
	}
	t.log.Warn("the broker gave another producer id, so the former owner is not fenced: waiting until it has been silent",
		"owner", owner.Instance, "beat", owner.Beat, "for", t.standby.after.String(),
		"do", "nothing; stop the former owner if it still runs, then this is over at once")
	return t.standby.awaitSilence(ctx, before)
}
