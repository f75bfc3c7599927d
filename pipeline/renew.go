package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v5"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
)

// renew raises the fence again, before the brokers forget it. No batch is under way meanwhile.
func (t *tenure) renew(ctx context.Context) error {
	release := t.hold()
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

// What there is to do about a Kafka that does not answer, and about a topic that can't be written.
const (
	lookAgain = "nothing, unless it stays: then dfinery-kafka check says what is wrong with Kafka"
	mendTopic = "create the topic, or give back its leaders and the right to write: dfinery-kafka check says which"
)

// errChanged ends a tenure whose partitions are not those that it was opened with: a new one takes them in.
var errChanged = errors.New("the topics have changed")

// reconsider looks at the topics: partitions that are new, or back, are fenced and restored before the first write to them, by
// opening the tenure anew; a partition that takes nothing while other streams wait for it ends the tenure as well, and is left out
// of the next one.
func (t *tenure) reconsider(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	names := make([]string, 0, len(t.streams))
	for _, st := range t.streams {
		names = append(names, st.Topic)
	}
	topics, err := t.service.Cluster.Topics(ctx, names...)
	if err != nil {
		t.log.Warn("can't look at the topics", "error", err, "do", lookAgain)
		return nil
	}
	configs, err := t.service.Cluster.TopicConfigs(ctx, names...)
	if err != nil {
		t.log.Warn("can't look at the topics' configuration", "error", err, "do", lookAgain)
		return nil
	}
	t.judgePolicies(ctx)
	for i, st := range t.streams {
		if now := configs[i].MaxMessageBytes; configs[i].Err == nil && now != t.limit[st.Topic] && st.blocked == "" {
			return fmt.Errorf("%w: topic %s has max.message.bytes=%d, it had %d", errChanged, st.Topic, now, t.limit[st.Topic])
		}
		switch has := len(st.senders); {
		case topics[i].Err != nil && st.blocked == "":
			st.blocked = topics[i].Err.Error()
			t.log.Error("a stream waits for its topic", "stream", st.Name, "topic", st.Topic, "error", topics[i].Err,
				"do", mendTopic)
		case st.blocked != "" && (topics[i].Err != nil || !writable(topics[i], configs[i])):
			delete(t.service.reopenings, st.Name)
		case st.blocked != "":
			if t.service.mayReopen(st.Name, time.Now()) {
				return fmt.Errorf("%w: topic %s may be written again", errChanged, st.Topic)
			}
		case topics[i].Err == nil && st.blocked == "" && len(topics[i].Partitions) != has:
			return fmt.Errorf("%w: topic %s has %d, it had %d", errChanged, st.Topic, len(topics[i].Partitions), has)
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
	for _, fault := range faults {
		var policy *ledger.PolicyError
		if errors.As(fault, &policy) {
			t.log.Error("the ledger will forget what was published", "topic", policy.Topic, policy.Config, policy.Have, "needed", policy.Want, "do", policy.Repair)
		}
	}
}

// writable tells whether all partitions can take records now, as far as the cluster tells: whether we may write is found out by trying.
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
