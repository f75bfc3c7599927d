package pipeline

import (
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
)

// TopicSpecs returns the topics that the service needs, as it creates them: the
// ledger's two, the dead letters', then each stream's.
func (c *Config) TopicSpecs() []cluster.TopicSpec {
	specs := c.Ledger().Specs(1, c.Replicas)
	specs = append(specs, cluster.TopicSpec{Name: c.DeadLetterTopic, Partitions: c.Partitions, ReplicationFactor: c.Replicas, Configs: map[string]string{
		cluster.ConfigCleanupPolicy: "delete", cluster.ConfigRetention: cluster.Milliseconds(90 * 24 * time.Hour)}})
	for i := range c.Streams {
		spec := cluster.TopicSpec{Name: c.Streams[i].Topic, Partitions: c.Partitions, ReplicationFactor: c.Replicas}
		if c.Streams[i].Changes {
			spec.Configs = compactedConfigs()
		}
		specs = append(specs, spec)
	}
	return specs
}

// The advice about a Kafka that does not answer, and about a topic that can't be
// written.
const (
	unlessItPersists = "nothing, unless it persists: then dfinery-kafka check shows what is wrong with Kafka"
	fixTopic         = "create the topic, or restore its leaders and the right to write: dfinery-kafka check shows what is missing"
	fixRight         = "grant the missing right: dfinery-kafka check prints the command"
)

// remedy is the advice about err: a missing right must be granted by an administrator;
// other is for errors that may be temporary.
func remedy(err error, other string) string {
	if cluster.Forbidden(err) {
		return fixRight
	}
	return other
}

// unwritable returns why the topic can't, or may not, be written according to the
// cluster; nil otherwise.
func unwritable(t cluster.Topic) error {
	if t.Err == nil && t.Rights.Known && !t.Rights.Write {
		return fmt.Errorf("the right to write topic %s is not granted: %w", t.Name, kafka.TopicAuthorizationFailed)
	}
	return t.Err
}
