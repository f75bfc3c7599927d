package cluster

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"
)

// TopicConfig is the configuration of a topic, including the broker's defaults
// (https://kafka.apache.org/documentation/#topicconfigs). Numbers that the broker did not
// return are 0.
type TopicConfig struct {
	Name              string
	Err               error  // nil, or why the rest is empty: see Missing and Forbidden
	CleanupPolicy     string // delete, compact, or both with a comma
	TimestampType     string // CreateTime or LogAppendTime
	MaxMessageBytes   int    // of one record batch as sent, including its header
	SegmentBytes      int    // of a log segment, which can't contain a larger batch
	MinInsyncReplicas int
	RetentionMs       int64 // -1: unlimited
	RetentionBytes    int64 // of one partition; -1: no limit
	Values            map[string]string
}

// MaxBatch is the maximum size of a record batch as sent; 0 if unknown.
func (c *TopicConfig) MaxBatch() int {
	if c.SegmentBytes > 0 {
		return min(c.MaxMessageBytes, c.SegmentBytes)
	}
	return c.MaxMessageBytes
}

// TopicConfigs returns the configurations of topics, in the order of names. It needs the right
// DescribeConfigs: for a topic without that right, Forbidden is true for Err.
func (c *Cluster) TopicConfigs(ctx context.Context, names ...string) ([]TopicConfig, error) {
	if len(names) == 0 {
		return nil, nil
	}
	req := &describeconfigs.Request{}
	for _, name := range names {
		req.Resources = append(req.Resources, describeconfigs.RequestResource{ResourceType: int8(kafka.ResourceTypeTopic), ResourceName: name})
	}
	res, err := c.send(ctx, anyBroker, req)
	if err != nil {
		return nil, fmt.Errorf("describe configurations: %w", err)
	}
	configs := make([]TopicConfig, len(names))
	for i, name := range names {
		configs[i] = topicConfigOf(name, res.(*describeconfigs.Response).Resources)
	}
	return configs, nil
}

func topicConfigOf(name string, answers []describeconfigs.ResponseResource) TopicConfig {
	config := TopicConfig{Name: name}
	i := slices.IndexFunc(answers, func(r describeconfigs.ResponseResource) bool { return r.ResourceName == name })
	if i < 0 {
		config.Err = NewBrokerError(int16(kafka.UnknownTopicOrPartition), "the answer does not name the topic")
		return config
	}
	if config.Err = NewBrokerError(answers[i].ErrorCode, answers[i].ErrorMessage); config.Err != nil {
		return config
	}
	config.Values = make(map[string]string, len(answers[i].ConfigEntries))
	for _, entry := range answers[i].ConfigEntries {
		config.Values[entry.ConfigName] = entry.ConfigValue
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(config.Values[name], 10, 64)
		return n
	}
	config.CleanupPolicy = config.Values[ConfigCleanupPolicy]
	config.TimestampType = config.Values[ConfigTimestampType]
	config.MaxMessageBytes = int(number(ConfigMaxMessageBytes))
	config.SegmentBytes = int(number(ConfigSegmentBytes))
	config.MinInsyncReplicas = int(number(ConfigMinInsyncReplicas))
	config.RetentionMs = number(ConfigRetention)
	config.RetentionBytes = number(ConfigRetentionBytes)
	return config
}

// SetTopicConfig sets one configuration of a topic and leaves the others unchanged (KIP-339).
// It needs the right AlterConfigs on the topic, and Kafka 2.3 or later.
func (c *Cluster) SetTopicConfig(ctx context.Context, topic, config, value string) error {
	answer, err := c.Client().IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{{
			ResourceType: kafka.ResourceTypeTopic, ResourceName: topic,
			Configs: []kafka.IncrementalAlterConfigsRequestConfig{{Name: config, Value: value, ConfigOperation: kafka.ConfigOperationSet}},
		}},
	})
	if err == nil && len(answer.Resources) > 0 {
		err = answer.Resources[0].Error
	}
	if err != nil {
		return fmt.Errorf("set %s of topic %s to %s: %w", config, topic, value, err)
	}
	return nil
}

// AlterConfigCommand is the command with which an administrator sets one configuration of a topic.
func (c *Cluster) AlterConfigCommand(topic, config, value string) string {
	return fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s=%s", c.Bootstrap(), topic, config, value)
}
