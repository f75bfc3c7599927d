package pipeline

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
)

// topicCreator creates topics that are missing, and judges those of the ledger. What it
// knows of topics that can't be created outlasts an ownership.
type topicCreator struct {
	ledger  *store.Ledger
	own     []cluster.TopicSpec // the ledger's and the dead letters'
	streams []cluster.TopicSpec
	create  bool // where it is missing; else somebody else has to
	needAll bool // a stream's topic that is missing is an error
	log     *slog.Logger

	absent map[string]error // the topics of streams, by name, that could not be created, and why
}

func newTopicCreator(c *Config) *topicCreator {
	specs := c.TopicSpecs()
	own := len(specs) - len(c.Streams)
	return &topicCreator{ledger: c.Ledger(), own: specs[:own], streams: specs[own:], create: c.CreateTopics, needAll: c.Patience > 0, log: c.Log}
}

// prepare creates what is missing, if that is wanted, and refuses a ledger that would
// lose records. Topics of streams may be missing: their Err says why, and their streams
// wait.
func (c *topicCreator) prepare(ctx context.Context) (map[string]cluster.Topic, error) {
	if err := c.ensure(ctx, c.own...); err != nil {
		return nil, err
	}
	c.absent = c.ensureStreams(ctx)
	for _, spec := range c.streams {
		if why := c.absent[spec.Name]; c.needAll && why != nil {
			return nil, why
		}
	}
	faults, err := c.ledger.CheckPolicies(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	c.keepMarkers(ctx)
	var names []string
	for _, spec := range slices.Concat(c.own, c.streams) {
		names = append(names, spec.Name)
	}
	described, err := c.ledger.Cluster.Topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	topics := make(map[string]cluster.Topic, len(described))
	for _, topic := range described {
		if topic.Err != nil {
			topic.Err = cmp.Or(c.absent[topic.Name], topic.Err) // why it could not be created says more
		}
		topics[topic.Name] = topic
	}
	return topics, nil
}

// topicPatience is for how long a takeover waits for the topics of streams that can't
// be created at the moment.
const topicPatience = 10 * time.Second

// ensureStreams creates the topics of streams, and returns why some are missing still,
// by name. What may pass is tried again for a moment: a later takeover for their sake
// ends the exports of all streams.
func (c *topicCreator) ensureStreams(ctx context.Context) map[string]error {
	specs, absent := c.streams, map[string]error{}
	wait := backoff.ExponentialBackOff{InitialInterval: 100 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: time.Second}
	for began := time.Now(); ; pause(ctx, wait.NextBackOff()) {
		var again []cluster.TopicSpec
		for _, spec := range specs {
			err := c.ensure(ctx, spec)
			if err == nil {
				delete(absent, spec.Name)
				continue
			}
			absent[spec.Name] = err
			if cluster.Retriable(err) && !cluster.Missing(err) {
				again = append(again, spec)
			}
		}
		if specs = again; len(specs) == 0 || time.Since(began) >= topicPatience || ctx.Err() != nil {
			return absent
		}
	}
}

// createAbsent tries again to create a topic that could not be created, whatever the
// reason was. It returns why it is missing still.
func (c *topicCreator) createAbsent(ctx context.Context, topic string) error {
	err := c.ensure(ctx, c.streams[slices.IndexFunc(c.streams, func(spec cluster.TopicSpec) bool { return spec.Name == topic })])
	if err == nil {
		delete(c.absent, topic)
	}
	return err
}

func (c *topicCreator) ensure(ctx context.Context, specs ...cluster.TopicSpec) error {
	created, err := c.ledger.Cluster.EnsureTopics(ctx, c.create, specs...)
	if len(created) > 0 {
		c.log.Info("created topics", "topics", created)
	}
	return err
}

// keepMarkers has compaction of the ledger leave the markers of takeovers alone for
// long enough, or says by which command somebody else can do so. The service runs in
// any case.
func (c *topicCreator) keepMarkers(ctx context.Context) {
	fault, err := c.ledger.CheckCompactionLag(ctx)
	if fault == nil {
		if err != nil {
			c.log.Warn("can't look at the ledger's configuration", "error", err, "do", remedy(err, lookAgain))
		}
		return
	}
	if err := c.ledger.SetCompactionLag(ctx); err != nil {
		c.log.Warn("compaction of the ledger may remove the markers that keep a former owner out: after a restart of brokers that have lost "+
			"their producer snapshots, an instance that hung since before may write again", "topic", fault.Topic, fault.Config, fault.Have,
			"needed", fault.Want, "error", err, "do", fault.Repair)
		return
	}
	c.log.Info("set the ledger's "+fault.Config, "topic", fault.Topic, "from", fault.Have, "to", store.CompactionLag.Milliseconds())
}
