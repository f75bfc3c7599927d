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

// topicCreator creates missing topics, and checks those of the ledger. Its knowledge of
// topics that can't be created outlives an ownership.
type topicCreator struct {
	ledger  *store.Ledger
	shared  []cluster.TopicSpec // the ledger's and the dead letters'
	streams []cluster.TopicSpec
	create  bool // missing topics; otherwise an administrator must
	needAll bool // a missing topic of a stream is an error
	log     *slog.Logger

	absent map[string]error // why topics of streams could not be created, by name
}

func newTopicCreator(c *Config) *topicCreator {
	specs := c.TopicSpecs()
	shared := len(specs) - len(c.Streams)
	return &topicCreator{ledger: c.Ledger(), shared: specs[:shared], streams: specs[shared:], create: c.CreateTopics, needAll: c.Patience > 0, log: c.Log}
}

// prepare creates missing topics, if configured, and refuses a ledger that would lose
// records. Topics of streams may be missing: their Err says why, and their streams
// wait.
func (c *topicCreator) prepare(ctx context.Context) (map[string]cluster.Topic, error) {
	if err := c.ensure(ctx, c.shared...); err != nil {
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
	for _, spec := range slices.Concat(c.shared, c.streams) {
		names = append(names, spec.Name)
	}
	described, err := c.ledger.Cluster.Topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	topics := make(map[string]cluster.Topic, len(described))
	for _, topic := range described {
		if topic.Err != nil {
			topic.Err = cmp.Or(c.absent[topic.Name], topic.Err) // the error of the creation is more specific
		}
		topics[topic.Name] = topic
	}
	return topics, nil
}

// topicPatience is how long a takeover waits for topics of streams that currently can't
// be created.
const topicPatience = 10 * time.Second

// ensureStreams creates the topics of streams, and returns why some are still missing,
// by name. Transient errors are retried briefly, because a later takeover for these
// topics would end the exports of all streams.
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

// createAbsent retries to create a topic that could not be created, whatever the
// reason. It returns why it is still missing.
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

// keepMarkers configures the ledger so that compaction keeps takeover markers long
// enough, or logs the command with which an administrator can do that. The service runs
// in any case.
func (c *topicCreator) keepMarkers(ctx context.Context) {
	fault, err := c.ledger.CheckCompactionLag(ctx)
	if fault == nil {
		if err != nil {
			c.log.Warn("can't read the ledger's configuration", "error", err, "do", remedy(err, unlessItPersists))
		}
		return
	}
	if err := c.ledger.SetCompactionLag(ctx); err != nil {
		c.log.Warn("compaction of the ledger may remove the markers that fence a former owner: after a restart of brokers that have lost "+
			"their producer snapshots, an instance that has been hanging since may write again", "topic", fault.Topic, fault.Config, fault.Have,
			"needed", fault.Want, "error", err, "do", fault.Repair)
		return
	}
	c.log.Info("set the ledger's "+fault.Config, "topic", fault.Topic, "from", fault.Have, "to", store.CompactionLag.Milliseconds())
}
