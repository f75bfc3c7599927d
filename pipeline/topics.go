package pipeline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
)

// TopicSpecs are the topics that the service needs, as it creates them: the ledger's two, the dead letters', then each stream's.
func (s *Service) TopicSpecs() []cluster.TopicSpec {
	specs := s.Ledger().Specs(1, s.Replicas)
	specs = append(specs, cluster.TopicSpec{Name: s.DeadLetterTopic, Partitions: s.Partitions, ReplicationFactor: s.Replicas, Configs: map[string]string{
		"cleanup.policy": "delete", "retention.ms": fmt.Sprint((90 * 24 * time.Hour).Milliseconds())}})
	for i := range s.Streams {
		spec := cluster.TopicSpec{Name: s.Streams[i].Topic, Partitions: s.Partitions, ReplicationFactor: s.Replicas}
		if s.Streams[i].Changes {
			spec.Configs = compactedConfigs()
		}
		specs = append(specs, spec)
	}
	return specs
}

// prepareTopics creates what is missing, if that is wanted, and refuses a ledger that would lose records. Topics of streams may be
// missing: their Err says why, and their streams wait.
func (s *Service) prepareTopics(ctx context.Context) (map[string]cluster.Topic, error) {
	specs := s.TopicSpecs()
	own := len(specs) - len(s.Streams)
	if err := s.ensureTopics(ctx, specs[:own]...); err != nil {
		return nil, err
	}
	s.absent = s.ensureStreamTopics(ctx, specs[own:])
	for _, spec := range specs[own:] {
		if why := s.absent[spec.Name]; s.Patience > 0 && why != nil {
			return nil, why
		}
	}
	faults, err := s.Ledger().CheckPolicies(ctx)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	s.keepMarkers(ctx)
	names := make([]string, len(specs))
	for i, spec := range specs {
		names[i] = spec.Name
	}
	described, err := s.Cluster.Topics(ctx, names...)
	if err != nil {
		return nil, err
	}
	topics := make(map[string]cluster.Topic, len(described))
	for _, topic := range described {
		if topic.Err != nil {
			topic.Err = cmp.Or(s.absent[topic.Name], topic.Err) // why it could not be created says more
		}
		topics[topic.Name] = topic
	}
	return topics, nil
}

// topicPatience is for how long a takeover waits for the topics of streams that can't be created at the moment.
const topicPatience = 10 * time.Second

// ensureStreamTopics creates the topics of streams, and returns why some are missing still, by name. What may pass is tried again for a
// moment: a later takeover for their sake ends the exports of all streams.
func (s *Service) ensureStreamTopics(ctx context.Context, specs []cluster.TopicSpec) map[string]error {
	absent := map[string]error{}
	wait := backoff.ExponentialBackOff{InitialInterval: 100 * time.Millisecond, RandomizationFactor: 0.5, Multiplier: 2, MaxInterval: time.Second}
	for began := time.Now(); ; pause(ctx, wait.NextBackOff()) {
		var again []cluster.TopicSpec
		for _, spec := range specs {
			err := s.ensureTopics(ctx, spec)
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

// createAbsent tries again to create a topic that could not be created, whatever the reason was. It returns why it is missing still.
func (s *Service) createAbsent(ctx context.Context, topic string) error {
	specs := s.TopicSpecs()
	err := s.ensureTopics(ctx, specs[slices.IndexFunc(specs, func(spec cluster.TopicSpec) bool { return spec.Name == topic })])
	if err == nil {
		delete(s.absent, topic)
	}
	return err
}

func (s *Service) ensureTopics(ctx context.Context, specs ...cluster.TopicSpec) error {
	created, err := s.Cluster.EnsureTopics(ctx, s.CreateTopics, specs...)
	if len(created) > 0 {
		s.Log.Info("created topics", "topics", created)
	}
	return err
}

// keepMarkers has compaction of the ledger leave the markers of takeovers alone for long enough, or says by which command somebody else
// can do so. The service runs in any case.
func (s *Service) keepMarkers(ctx context.Context) {
	fault, err := s.Ledger().CheckCompactionLag(ctx)
	if fault == nil {
		if err != nil {
			s.Log.Warn("can't look at the ledger's configuration", "error", err, "do", remedy(err, lookAgain))
		}
		return
	}
	if err := s.Ledger().SetCompactionLag(ctx); err != nil {
		s.Log.Warn("compaction of the ledger may remove the markers that keep a former owner out: after a restart of brokers that have lost "+
			"their producer snapshots, an instance that hung since before may write again", "topic", fault.Topic, fault.Config, fault.Have,
			"needed", fault.Want, "error", err, "do", fault.Repair)
		return
	}
	s.Log.Info("set the ledger's "+fault.Config, "topic", fault.Topic, "from", fault.Have, "to", store.CompactionLag.Milliseconds())
}

// What there is to do about a Kafka that does not answer, and about a topic that can't be written.
const (
	lookAgain = "nothing, unless it stays: then dfinery-kafka check says what is wrong with Kafka"
	fixTopic  = "create the topic, or give back its leaders and the right to write: dfinery-kafka check says which"
	fixRight  = "grant the right that is missing: dfinery-kafka check prints the command"
)

// remedy is what there is to do about err: a right is given by people alone, other is for all that may pass.
func remedy(err error, other string) string {
	if cluster.Forbidden(err) {
		return fixRight
	}
	return other
}

// unwritable is why the topic can't be written, or we may not write it, as far as the cluster says; nil otherwise.
func unwritable(t cluster.Topic) error {
	if t.Err == nil && t.Rights.Known && !t.Rights.Write {
		return fmt.Errorf("the right to write topic %s is not granted: %w", t.Name, kafka.TopicAuthorizationFailed)
	}
	return t.Err
}
