package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"
)

// TopicSpec is a topic that must exist.
type TopicSpec struct {
	Name              string
	Partitions        int               // when it is created; -1: the broker's default
	ReplicationFactor int               // when it is created; -1: the broker's default
	Configs           map[string]string // when it is created
}

// EnsureTopics creates missing topics, waits until each of their partitions has a leader, and
// returns their names. If create is false, or creation fails, a missing topic is an error that
// contains the command to create it; Retriable reports whether the error may be temporary.
// Existing topics are not changed, whatever their partitions and configuration. Topics are
// created with message.timestamp.type=LogAppendTime unless their spec says otherwise.
func (c *Cluster) EnsureTopics(ctx context.Context, create bool, specs ...TopicSpec) (created []string, err error) {
	missing, faults, err := c.missing(ctx, specs)
	if err != nil {
		return nil, err
	}
	if create && len(missing) > 0 {
		refused, err := c.createTopics(ctx, false, missing)
		for i, spec := range missing {
			why := err
			if err == nil {
				why = refused[i]
			}
			if why == nil {
				created = append(created, spec.Name)
				continue
			}
			faults = append(faults, fmt.Errorf("create topic %s: %w; create it with: %s", spec.Name, why, c.Creation(spec)))
		}
		if err := c.awaitLeaders(ctx, created); err != nil {
			faults = append(faults, err)
		}
		if len(created) > 0 {
			_ = c.transport.refresh(ctx, c.addr) // so that Client knows the topics before the first request for them
		}
	} else {
		for _, spec := range missing {
			faults = append(faults, fmt.Errorf("topic %s: %w; create it with: %s", spec.Name, NewBrokerError(int16(kafka.UnknownTopicOrPartition), ""), c.Creation(spec)))
		}
	}
	return created, errors.Join(faults...)
}

// missing also returns other faults of the topics.
func (c *Cluster) missing(ctx context.Context, specs []TopicSpec) (missing []TopicSpec, faults []error, err error) {
	names := make([]string, len(specs))
	for i, spec := range specs {
		names[i] = spec.Name
	}
	topics, err := c.Topics(ctx, names...)
	if err != nil {
		return nil, nil, err
	}
	for i, topic := range topics {
		switch {
		case topic.Err == nil:
		case Missing(topic.Err):
			missing = append(missing, specs[i])
		case errors.Is(topic.Err, kafka.LeaderNotAvailable): // another instance is creating it
		default:
			faults = append(faults, fmt.Errorf("topic %s: %w", topic.Name, topic.Err))
		}
	}
	return missing, faults, nil
}

// ValidateTopics checks whether missing topics could be created according to their specs,
// without creating them. For each it returns why it would be refused, or nil.
func (c *Cluster) ValidateTopics(ctx context.Context, specs ...TopicSpec) ([]error, error) {
	return c.createTopics(ctx, true, specs)
}

// createTopics returns for each spec why it was refused. A topic that was created by someone
// else in the meantime counts as created.
func (c *Cluster) createTopics(ctx context.Context, validate bool, specs []TopicSpec) ([]error, error) {
	meta, err := c.metadata(ctx, []string{})
	if err != nil {
		return nil, err
	}
	req := &createtopics.Request{ValidateOnly: validate, TimeoutMs: int32(min(c.cfg.Timeout/2, time.Minute).Milliseconds())}
	for _, spec := range specs {
		topic := createtopics.RequestTopic{Name: spec.Name, NumPartitions: int32(spec.Partitions), ReplicationFactor: int16(spec.ReplicationFactor)}
		configs := spec.configs()
		for _, name := range slices.Sorted(maps.Keys(configs)) {
			topic.Configs = append(topic.Configs, createtopics.RequestConfig{Name: name, Value: configs[name]})
		}
		req.Topics = append(req.Topics, topic)
	}
	res, err := c.send(ctx, meta.ControllerID, req)
	if err != nil {
		return nil, err
	}
	refused := make([]error, len(specs))
	for _, topic := range res.(*createtopics.Response).Topics {
		i := slices.IndexFunc(specs, func(spec TopicSpec) bool { return spec.Name == topic.Name })
		if i >= 0 && kafka.Error(topic.ErrorCode) != kafka.TopicAlreadyExists {
			refused[i] = NewBrokerError(topic.ErrorCode, topic.ErrorMessage)
		}
	}
	return refused, nil
}

// awaitLeaders fails after Config.Timeout.
func (c *Cluster) awaitLeaders(ctx context.Context, names []string) error {
	waits := newRetry(c.cfg.Timeout)
	for {
		topics, err := c.Topics(ctx, names...)
		waiting := slices.DeleteFunc(topics, Topic.led)
		if err == nil && len(waiting) == 0 {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("topic %s was created but has no leaders yet", waiting[0].Name)
		}
		if err := waits.next(ctx, err); err != nil {
			return err
		}
	}
}

func (t Topic) led() bool {
	return t.Err == nil && len(t.Partitions) > 0 && !slices.ContainsFunc(t.Partitions, func(p Partition) bool { return p.Leader < 0 })
}

func (s TopicSpec) configs() map[string]string {
	configs := map[string]string{ConfigTimestampType: "LogAppendTime"}
	maps.Copy(configs, s.Configs)
	return configs
}

// Creation is the command with which an administrator creates the topic.
func (c *Cluster) Creation(spec TopicSpec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kafka-topics.sh --bootstrap-server %s --create --topic %s", c.Bootstrap(), spec.Name)
	if spec.Partitions > 0 {
		fmt.Fprintf(&b, " --partitions %d", spec.Partitions)
	}
	if spec.ReplicationFactor > 0 {
		fmt.Fprintf(&b, " --replication-factor %d", spec.ReplicationFactor)
	}
	configs := spec.configs()
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		fmt.Fprintf(&b, " --config %s=%s", name, configs[name])
	}
	return b.String()
}
