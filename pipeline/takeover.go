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

// takeover makes this instance the owner of the service: topics, ledger, fence. From
// one ownership to the next it keeps the producer identity of this instance.
type takeover struct {
	service     string
	atLeastOnce bool // without a fence
	topics      *topicCreator
	ledger      *store.Ledger
	partitions  func(topics map[string]cluster.Topic, state int) *partitions // written by the owner; state is the ledger's partition
	fence       *producer.Fence
	standby     *standby
	restoring   func() // called when Kafka is reached
	step        func(name string)
	log         *slog.Logger

	identity producer.Identity // for the next takeover: the broker refuses older ones
}

// ownership is the result of a takeover.
type ownership struct {
	topics     map[string]cluster.Topic
	before     *ledger.State // the ledger before fencing
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
		fence:    &producer.Fence{Cluster: c.Cluster, TransactionalID: c.TransactionalID(), Codec: c.Codec, Log: c.Log, Meter: &v.meter, Patience: c.Patience},
		identity: producer.NoIdentity(),
	}
}

// take takes over the service. From then on no other instance writes to its partitions,
// and the ends of the logs are final.
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
	session, err := t.fencePartitions(ctx, at, before)
	if err != nil {
		return nil, err
	}
	return &ownership{topics: topics, before: before, partitions: at, session: session}, nil
}

// ended stores the producer identity of an ownership that has ended.
func (t *takeover) ended(as producer.Identity) { t.identity = as }

// fenced records that another instance has taken over: the next takeover fences it.
func (t *takeover) fenced() { t.identity = producer.NoIdentity() }

// fencePartitions fences every partition that will be written. Whatever fails later, the next
// takeover uses the new identity.
func (t *takeover) fencePartitions(ctx context.Context, at *partitions, before *ledger.State) (*producer.Session, error) {
	if t.atLeastOnce {
		t.log.Warn("DELIVERY=at-least-once: no instance is fenced, two running at once may publish rows twice",
			"do", "consumers must deduplicate by the header id; or allow transactional ids and set exactly-once")
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
	err = t.ensureSharedFenced(session, at.shared())
	if err == nil && first {
		err = t.awaitUnfenced(ctx, session.Identity(), before)
	}
	if err != nil {
		session.Close()
		return nil, err
	}
	t.identity = session.Identity() // only once the former owner is known to be fenced
	return session, nil
}

// ensureSharedFenced returns an error unless the shared partitions are fenced.
func (t *takeover) ensureSharedFenced(session *producer.Session, shared []recordbatch.TopicPartition) error {
	for _, p := range shared {
		if why := session.Unfenced(p); why != nil {
			return fmt.Errorf("take over service %s: %v can't be fenced now: %w", t.service, p, why)
		}
	}
	return nil
}

// awaitUnfenced waits until the heartbeats of a former owner that is not fenced stop: a
// new producer id does not fence the old one.
func (t *takeover) awaitUnfenced(ctx context.Context, as producer.Identity, before *ledger.State) error {
	owner := before.Owner
	if owner == nil || t.atLeastOnce || owner.ProducerID == as.ID {
		return nil
	}
	t.log.Warn("the broker assigned another producer id, so the former owner is not fenced: waiting until it is silent",
		"owner", owner.Instance, "beat", owner.Beat, "for", t.standby.after.String(),
		"do", "nothing; stopping the former owner, if it still runs, ends the wait")
	return t.standby.awaitSilence(ctx, before)
}
