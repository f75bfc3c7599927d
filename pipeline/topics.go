package pipeline

import (
	"fmt"
	"time"

	"github.com/segmentio/kafka-go"

	"dfinery-kafka/pipeline/cluster"
)

// TopicSpecs are the topics that the service needs, as it creates them: the ledger's
// two, the dead letters', then each stream's.
func (c *Config) TopicSpecs() []cluster.TopicSpec {
	specs := c.Ledger().Specs(1, c.Replicas)
	specs = append(specs, cluster.TopicSpec{Name: c.DeadLetterTopic, Partitions: c.Partitions, ReplicationFactor: c.Replicas, Configs: map[string]string{
		"cleanup.policy": "delete", "retention.ms": fmt.Sprint((90 * 24 * time.Hour).Milliseconds())}})
	for i := range c.Streams {
		spec := cluster.TopicSpec{Name: c.Streams[i].Topic, Partitions: c.Partitions, ReplicationFactor: c.Replicas}
		if c.Streams[i].Changes {
			spec.Configs = compactedConfigs()
		}
		specs = append(specs, spec)
	}
	return specs
}

// What there is to do about a Kafka that does not answer, and about a topic that can't be written.
const (
	lookAgain = "nothing, unless it stays: then dfinery-kafka check says what is wrong with Kafka"
	fixTopic  = "create the topic, or give back its leaders and the right to write: dfinery-kafka check says which"
	fixRight  = "grant the right that is missing: dfinery-kafka check prints the command"
)

// remedy is what there is to do about err: a right is given by people alone, other is
// for all that may pass.
func remedy(err error, other string) string {
	if cluster.Forbidden(err) {
		return fixRight
	}
	return other
}

// unwritable is why the topic can't be written, or we may not write it, as far as the
// cluster says; nil otherwise.
func unwritable(t cluster.Topic) error {
	if t.Err == nil && t.Rights.Known && !t.Rights.Write {
		return fmt.Errorf("the right to write topic %s is not granted: %w", t.Name, kafka.TopicAuthorizationFailed)
	}
	return t.Err
}
