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
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/transfer"
)

// TopicSpecs are the topics that the service needs, as it creates them: the ledger's two, the dead letters', then each stream's.
func (s *Service) TopicSpecs() []cluster.TopicSpec {
	specs := s.Books().Specs(1, s.Replicas)
	specs = append(specs, cluster.TopicSpec{Name: s.DeadLetterTopic, Partitions: s.Partitions, ReplicationFactor: s.Replicas, Configs: map[string]string{
		"cleanup.policy": "delete", "retention.ms": fmt.Sprint((90 * 24 * time.Hour).Milliseconds())}})
	for i := range s.Streams {
		specs = append(specs, cluster.TopicSpec{Name: s.Streams[i].Topic, Partitions: s.Partitions, ReplicationFactor: s.Replicas})
	}
	return specs
}

// prepareTopics creates what is missing, if that is wanted, and refuses a ledger that would forget. Topics of streams may be
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
	faults, err := s.Books().CheckPolicies(ctx)
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

// keepMarkers has compaction of the ledger leave the markers of take-overs alone for long enough, or says by which command somebody else
// can do so. The service runs in any case.
func (s *Service) keepMarkers(ctx context.Context) {
	fault, err := s.Books().CheckCompactionLag(ctx)
	if fault == nil {
		if err != nil {
			s.Log.Warn("can't look at the ledger's configuration", "error", err, "do", remedy(err, lookAgain))
		}
		return
	}
	if err := s.Books().SetCompactionLag(ctx); err != nil {
		s.Log.Warn("compaction of the ledger may remove the markers that keep a former owner out: after a restart of brokers that have lost "+
			"their producer snapshots, an instance that hung since before may write again", "topic", fault.Topic, fault.Config, fault.Have,
			"needed", fault.Want, "error", err, "do", fault.Repair)
		return
	}
	s.Log.Info("set the ledger's "+fault.Config, "topic", fault.Topic, "from", fault.Have, "to", ledger.CompactionLag.Milliseconds())
}

// What there is to do about a Kafka that does not answer, and about a topic that can't be written.
const (
	lookAgain = "nothing, unless it stays: then dfinery-kafka check says what is wrong with Kafka"
	mendTopic = "create the topic, or give back its leaders and the right to write: dfinery-kafka check says which"
	mendRight = "grant the right that is missing: dfinery-kafka check prints the command"
)

// remedy is what there is to do about err: a right is given by people alone, other is for all that may pass.
func remedy(err error, other string) string {
	if cluster.Forbidden(err) {
		return mendRight
	}
	return other
}

// unwritable is why nobody can write the topic, or we may not, as far as the cluster tells; nil otherwise.
func unwritable(t cluster.Topic) error {
	if t.Err == nil && t.Rights.Known && !t.Rights.Write {
		return fmt.Errorf("the right to write topic %s is not granted: %w", t.Name, kafka.TopicAuthorizationFailed)
	}
	return t.Err
}

// block has a stream wait for its topic.
func (t *tenure) block(st *transfer.Stream, why error) {
	t.schedule.Block(st.Name, why.Error())
	do := remedy(why, mendTopic)
	_, refused := errors.AsType[*producer.RefusedError](why)
	if _, strict := errors.AsType[*cluster.TimestampError](why); refused || strict {
		do = t.service.afterRefusal(st.Topic, why)
	}
	t.log.Error("a stream waits for its topic", "stream", st.Name, "topic", st.Topic, "error", why, "do", do)
}

// errChanged ends a tenure whose topics have changed since it was opened: the next one is opened with them as they are.
var errChanged = errors.New("the topics have changed")

// checkTopics looks at the topics. Partitions that are new, or can be written again, are fenced and restored before the first write to
// them, by opening the tenure anew. A stream whose topic is gone waits.
func (t *tenure) checkTopics(ctx context.Context) error {
	owning := ctx
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	names := make([]string, 0, len(t.service.Streams)+3)
	for st := range t.service.streams {
		names = append(names, st.Topic)
	}
	names = append(names, t.books.Topic, t.books.Rows, t.service.DeadLetterTopic)
	topics, err := t.service.Cluster.Topics(ctx, names...)
	switch {
	case owning.Err() != nil:
		return nil // shutting down: the error is of that
	case err != nil:
		t.log.Warn("can't look at the topics", "error", err, "do", lookAgain)
		return nil
	}
	t.forbidden = nil
	for _, own := range topics[len(t.service.Streams):] {
		if why := unwritable(own); cluster.Forbidden(why) {
			t.forbidden = append(t.forbidden, "Kafka: "+why.Error())
			t.log.Error("the service will stand still: it may not write a topic that it needs", "topic", own.Name, "error", why, "do", mendRight)
		}
	}
	configs, err := t.service.Cluster.TopicConfigs(ctx, names[:len(t.service.Streams)]...)
	switch {
	case owning.Err() != nil:
		return nil
	case err != nil:
		t.log.Warn("can't look at the topics' configuration", "error", err, "do", lookAgain)
		return nil
	}
	t.judgePolicies(ctx)
	if err := t.checkLogs(ctx); err != nil {
		return err
	}
	for i := range t.service.Streams {
		st := &t.service.Streams[i]
		if topics[i].Err != nil && t.service.absent[st.Topic] != nil {
			why := t.service.createAbsent(ctx, st.Topic)
			switch {
			case why == nil:
				return fmt.Errorf("%w: topic %s was created", errChanged, st.Topic)
			case ctx.Err() == nil && why.Error() != t.schedule.Blocked(st.Name):
				t.block(st, why)
			}
			continue
		}
		if now := configs[i].MaxBatch(); configs[i].Err == nil && now != t.limit[st.Topic] && t.schedule.Blocked(st.Name) == "" {
			return fmt.Errorf("%w: topic %s takes batches of %d bytes, it took %d", errChanged, st.Topic, now, t.limit[st.Topic])
		}
		switch has, why := t.transfers.Partitions(st.Name), cmp.Or(unwritable(topics[i]), configs[i].TimestampFault()); {
		case why != nil && t.schedule.Blocked(st.Name) == "":
			t.block(st, why)
		case t.schedule.Blocked(st.Name) != "" && (why != nil || !writable(topics[i], configs[i])):
			delete(t.service.reopenings, st.Name)
		case t.schedule.Blocked(st.Name) != "" && t.service.refusalIsOver(st.Topic, time.Now()):
			return fmt.Errorf("%w: topic %s refused records and is tried again", errChanged, st.Topic)
		case t.schedule.Blocked(st.Name) != "" && t.service.refusedUntilLater(st.Topic, time.Now()) != nil:
		case t.schedule.Blocked(st.Name) != "":
			if t.service.mayReopen(st.Name, time.Now()) {
				return fmt.Errorf("%w: topic %s may be written again", errChanged, st.Topic)
			}
		case t.schedule.Blocked(st.Name) == "" && len(topics[i].Partitions) != has:
			return fmt.Errorf("%w: topic %s has %d, it had %d", errChanged, st.Topic, len(topics[i].Partitions), has)
		}
	}
	return nil
}

// checkLogs looks whether a log is shorter than what was acknowledged of it: its topic was made anew, or an unclean leader election took
// records back. The next owner fences it before anything is written there, and recovers it.
func (t *tenure) checkLogs(ctx context.Context) error {
	var partitions []cluster.TopicPartition
	acknowledged := map[cluster.TopicPartition]int64{} // before the logs are asked: they grow meanwhile
	for _, p := range t.written {
		position, written := t.session.Position(p)
		if !written {
			position = t.marks[p]
		}
		if t.session.Owns(p) && position.Next > 0 {
			acknowledged[p] = position.Next
			partitions = append(partitions, p)
		}
	}
	logs, err := t.service.Cluster.Offsets(ctx, partitions...)
	if err != nil {
		return nil // it was just possible to ask for the topics, and is again soon
	}
	for _, log := range logs {
		if next := acknowledged[log.Partition]; log.Err == nil && log.End < next {
			return fmt.Errorf("%w: the log of %v ends at %d, it was written up to %d", errChanged, log.Partition, log.End, next)
		}
	}
	return nil
}

// judgePolicies says when the ledger's topics were set to forget what they must keep: the next start would refuse them.
func (t *tenure) judgePolicies(ctx context.Context) {
	faults, err := t.books.CheckPolicies(ctx)
	if err != nil {
		return // it was just possible to ask for the streams' topics, and is again soon
	}
	t.service.keepMarkers(ctx)
	for _, fault := range faults {
		if policy, ok := errors.AsType[*ledger.PolicyError](fault); ok {
			t.log.Error("the ledger will forget what was published", "topic", policy.Topic, policy.Config, policy.Have, "needed", policy.Want, "do", policy.Repair)
		}
	}
}

// writable tells whether all partitions have a leader and enough replicas in sync.
func writable(t cluster.Topic, c cluster.TopicConfig) bool {
	return !slices.ContainsFunc(t.Partitions, func(p cluster.Partition) bool { return p.Leader < 0 || len(p.ISR) < c.MinInsyncReplicas })
}

// reopening spaces the take-overs for the sake of one stream that is left out: each ends the exports of all the others.
type reopening struct {
	wait backoff.ExponentialBackOff
	next time.Time
}

// mayReopen says whether it is time to try again for a stream: at once for the first time, then less and less often.
func (s *Service) mayReopen(stream string, now time.Time) bool {
	r := s.reopenings[stream]
	if r == nil {
		first := 2 * s.OwnerHeartbeat
		r = &reopening{wait: backoff.ExponentialBackOff{InitialInterval: first, Multiplier: 2, MaxInterval: max(first, s.RetryMaxBackoff)}}
		if s.reopenings == nil {
			s.reopenings = map[string]*reopening{}
		}
		s.reopenings[stream] = r
	}
	if now.Before(r.next) {
		return false
	}
	r.next = now.Add(r.wait.NextBackOff())
	return true
}
