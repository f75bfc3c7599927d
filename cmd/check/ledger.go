package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"dfinery-kafka/connector"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// fence rehearses a takeover with a separate transactional id, and reads Kafka's clock from the
// transaction marker. The owner and consumers ignore markers of other producers.
func (c *Check) fence(ctx context.Context, missing missingRights) {
	id := c.Service.TransactionalID()
	if id == "" {
		return
	}
	id += pipeline.CheckSuffix
	for _, r := range missing {
		if r.Resource == cluster.TransactionalResource || r.Name == c.Service.LedgerTopic {
			return // it can't succeed, and the reason was reported
		}
	}
	ctx, cancel := context.WithTimeout(ctx, fencePatience)
	defer cancel()
	at := recordbatch.TopicPartition{Topic: c.Service.LedgerTopic}
	before, err := c.Cluster.Log(ctx, at)
	began := time.Now()
	var session *producer.Session
	if err == nil {
		session, err = (&producer.Fence{Cluster: c.Cluster, TransactionalID: id, Codec: c.Service.Codec}).TakeOver(ctx, producer.NoIdentity(), []recordbatch.TopicPartition{at})
	}
	took := time.Since(began)
	if err != nil {
		c.add(Fail, "fence", fmt.Sprintf("the rehearsal as %s failed: %v", id, err),
			"check the brokers' transaction coordinator (transaction.state.log.replication.factor and .min.isr must not exceed the number of running brokers); DELIVERY=at-least-once does not need it")
		return
	}
	defer session.Close()
	if !session.Fenced(at) {
		c.add(Fail, "fence", fmt.Sprintf("the rehearsal as %s left no marker in %v", id, at), "check that the partition has a leader and enough replicas in sync")
		return
	}
	c.add(OK, "fence", "rehearsed as "+id+"; the owner is not affected")
	if marked, err := c.marker(ctx, at, before.End, session.Identity().ID); err == nil {
		c.clock("kafka clock", marked, began.Add(took/2), took/2)
	}
}

// fencePatience is much longer than a healthy cluster needs.
const fencePatience = 20 * time.Second

func (c *Check) marker(ctx context.Context, at recordbatch.TopicPartition, from, producer int64) (marked time.Time, err error) {
	log, err := c.Cluster.Log(ctx, at)
	if err != nil {
		return marked, err
	}
	err = c.Cluster.Read(ctx, at, from, log.End, recordbatch.Visitor{Marker: func(m recordbatch.Marker) error {
		if m.ProducerID == producer {
			marked = m.Time
		}
		return nil
	}})
	if err == nil && marked.IsZero() {
		err = errors.New("the marker is missing")
	}
	return marked, err
}

// ledger reads the service's state, and returns that of the source.
func (c *Check) ledger(ctx context.Context, missing missingRights) json.RawMessage {
	if missing.has(c.Service.LedgerTopic, cluster.Read) {
		return nil
	}
	peek, err := c.Service.Reader().Snapshot(ctx)
	switch {
	case err != nil:
		c.add(Fail, "ledger", err.Error())
		return nil
	case peek.Owner == nil:
		c.add(OK, "ledger", "readable; the service has never run")
	case peek.Alive:
		c.add(OK, "ledger", fmt.Sprintf("readable; %s on %s is the owner", peek.Owner.Instance, peek.Owner.Host))
	default:
		c.add(OK, "ledger", fmt.Sprintf("readable; no instance is running, the last owner was %s on %s", peek.Owner.Instance, peek.Owner.Host))
	}
	c.service(peek)
	c.lineEnds(peek)
	return peek.Source
}

// lineEnds warns about a habit that an earlier release relied on without proof. call uses what
// was learned.
func (c *Check) lineEnds(peek *pipeline.Snapshot) {
	learner := c.Client.LineEnds
	if err := learner.Restore(peek.LineEnds); err != nil {
		c.add(Fail, "line ends", err.Error())
		return
	}
	if _, err := connector.NewSource(c.Client, c.Policy, peek.Source); err != nil {
		return // call says it
	}
	if hint := learner.Hint(); hint != "" {
		c.add(Warn, "line ends", "an earlier release accepted last lines without a newline as complete, which is not proven", hint)
	}
}
