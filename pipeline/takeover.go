package pipeline

import (
	"context"
	"fmt"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/transfer"
)

// open makes this instance the owner: topics, fence, restore. From the returned tenure on everything in Kafka is accounted for.
// It takes over as the identity that it is given and leaves there, whatever fails later, the one to go on with: the broker takes no older.
func (s *Service) open(ctx context.Context, as *producer.Identity) (*tenure, error) {
	topics, err := s.prepareTopics(ctx)
	if err != nil {
		return nil, err
	}
	books := s.Books()
	before, err := books.Load(ctx)
	if err != nil {
		return nil, err
	}
	s.setRestoring()
	t := newTenure(s, books)
	session, err := t.takeOver(ctx, as, topics, before)
	if err != nil {
		return nil, err
	}
	t.session = session
	if err := t.restore(ctx, before); err != nil {
		session.Close()
		return nil, err
	}
	return t, nil
}

// takeOver raises the fence over every partition that will be written, and says which streams have to wait for theirs.
func (t *tenure) takeOver(ctx context.Context, as *producer.Identity, topics map[string]cluster.Topic, before *ledger.State) (*producer.Session, error) {
	s := t.service
	t.stateAt = cluster.TopicPartition{Topic: t.books.Topic, Partition: before.Partition}
	t.rowsAt = cluster.TopicPartition{Topic: t.books.Rows, Partition: cluster.PartitionOf([]byte(s.ID), len(topics[t.books.Rows].Partitions))}
	t.lettersAt = topics[s.DeadLetterTopic].TopicPartitions()
	t.commands = command.New(command.Config{
		Service: s.ID, Location: s.Location, Streams: s.Streams, Topics: s.Cluster, Ledger: t.books, State: t.stateAt, Letters: t.lettersAt,
		Parse: s.Parse, Schedule: t.schedule, Transfers: t.transfers, Resume: t.resume, Log: s.Log,
	})
	t.written = append([]cluster.TopicPartition{t.stateAt, t.rowsAt}, t.lettersAt...)
	for i := range s.Streams {
		t.written = append(t.written, topics[s.Streams[i].Topic].TopicPartitions()...)
	}
	if s.AtLeastOnce {
		s.Log.Warn("DELIVERY=at-least-once: no instance is fenced, two at once may publish rows twice",
			"do", "have consumers deduplicate by the header id, or allow transactional ids and set exactly-once")
	}
	fence := &producer.Fence{Cluster: s.Cluster, TransactionalID: s.transactionalID(), Codec: s.Codec, Log: s.Log, Meter: &s.meter, Patience: s.Patience}
	session, err := fence.TakeOver(ctx, *as, t.written)
	if err != nil {
		return nil, fmt.Errorf("take over service %s: %w", s.ID, err)
	}
	first := *as == producer.NoIdentity()
	if !first {
		*as = session.Identity()
	}
	s.step("fenced")
	if err := t.ensureOwned(session); err != nil {
		session.Close()
		return nil, err
	}
	if first {
		if err := t.awaitUnfenced(ctx, session, before); err != nil {
			session.Close()
			return nil, err
		}
	}
	*as = session.Identity() // not before the former owner is known to be out
	if err := t.limits(ctx, session); err != nil {
		session.Close()
		return nil, err
	}
	for i := range s.Streams {
		t.judgeTopic(&s.Streams[i], session, topics[s.Streams[i].Topic])
	}
	return session, nil
}

// ensureOwned refuses to go on without the partitions that every stream needs: the ledger's and the dead letters'.
func (t *tenure) ensureOwned(session *producer.Session) error {
	for _, p := range t.written[:2+len(t.lettersAt)] {
		if why := session.Unfenced(p); why != nil {
			return fmt.Errorf("take over service %s: %v can't be fenced now: %w", t.service.ID, p, why)
		}
	}
	return nil
}

// awaitUnfenced waits for the silence of a former owner whom the fence does not hold: another producer id than its own fences nobody.
func (t *tenure) awaitUnfenced(ctx context.Context, session *producer.Session, before *ledger.State) error {
	s, owner := t.service, before.Owner
	if owner == nil || s.AtLeastOnce || owner.ProducerID == session.Identity().ID {
		return nil
	}
	s.Log.Warn("the broker gave another producer id, so the former owner is not fenced: waiting until it has been silent",
		"owner", owner.Instance, "beat", owner.Beat, "for", s.StandbyAfter.String(),
		"do", "nothing; stop the former owner if it still runs, then this is over at once")
	return s.awaitSilence(ctx, t.books, before)
}

// limits tells the session how large each topic's batches may be, as far as it may be known.
func (t *tenure) limits(ctx context.Context, session *producer.Session) error {
	names := []string{t.books.Topic, t.books.Rows, t.service.DeadLetterTopic}
	for i := range t.service.Streams {
		names = append(names, t.service.Streams[i].Topic)
	}
	configs, err := t.service.Cluster.TopicConfigs(ctx, names...)
	if err != nil {
		return err
	}
	for _, c := range configs {
		limit := producer.DefaultLimit
		if most := c.MaxBatch(); c.Err == nil && most > 0 {
			limit = most
			t.limit[c.Name] = limit
		}
		if refused, ok := t.service.refused[c.Name]; ok {
			limit = min(limit, refused-1)
		}
		session.SetLimit(c.Name, limit)
	}
	return nil
}

// judgeTopic has a stream wait whose topic can't be written now.
func (t *tenure) judgeTopic(st *transfer.Stream, session *producer.Session, topic cluster.Topic) {
	if why := unwritable(topic); why != nil {
		t.block(st, why)
		return
	}
	for _, p := range topic.TopicPartitions() {
		if why := session.Unfenced(p); why != nil {
			t.block(st, fmt.Errorf("%v can't be fenced now: %w", p, why))
			return
		}
	}
	if why := t.service.refusedUntilLater(st.Topic, time.Now()); why != nil {
		t.block(st, why)
		return
	}
	delete(t.service.reopenings, st.Name)
}

// renew raises the fence again, before the brokers forget it. No batch is under way meanwhile.
func (t *tenure) renew(ctx context.Context) error {
	release := t.transfers.Pause()
	err := t.session.Flush(ctx)
	if err == nil {
		t.service.step("renewing")
		err = t.session.Renew(ctx, t.written)
	}
	release()
	if err != nil {
		return fmt.Errorf("renew the fence: %w", err)
	}
	t.service.step("renewed")
	t.log.Debug("fence renewed", "producer", t.session.Identity().String())
	return t.checkpoint(ctx)
}
