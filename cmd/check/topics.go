package check

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

// topics reports whether the ledger exists, so that it can be checked.
func (c *Check) topics(ctx context.Context, missing missingRights) bool {
	specs := c.Service.TopicSpecs()
	names := make([]string, len(specs))
	for i, spec := range specs {
		names[i] = spec.Name
	}
	topics, err := c.Cluster.Topics(ctx, names...)
	var configs []cluster.TopicConfig
	if err == nil {
		configs, err = c.Cluster.TopicConfigs(ctx, names...)
	}
	if err != nil {
		c.add(Fail, "topics", err.Error())
		return false
	}
	ready := true
	for i, spec := range specs {
		switch topic := topics[i]; {
		case topic.Err == nil:
			c.topic(spec, topic, configs[i])
		case cluster.Missing(topic.Err):
			c.missingTopic(ctx, spec, missing)
			ready = ready && i >= ledgerTopics
		default:
			if !cluster.Forbidden(topic.Err) { // reported with the rights
				c.add(Fail, "topic "+spec.Name, topic.Err.Error())
			}
			ready = ready && i >= ledgerTopics
		}
	}
	c.oneReplica()
	c.policies(ctx)
	return ready
}

// ledgerTopics are the first two of the service's topics.
const ledgerTopics = 2

func (c *Check) missingTopic(ctx context.Context, spec cluster.TopicSpec, rights missingRights) {
	check := "topic " + spec.Name
	if !c.Service.CreateTopics {
		c.add(Fail, check, "does not exist, and KAFKA_CREATE_TOPICS is false", c.Cluster.Creation(spec))
		return
	}
	if rights.has(spec.Name, cluster.Create) {
		return
	}
	refused, err := c.Cluster.ValidateTopics(ctx, spec)
	if err == nil {
		err = refused[0]
	}
	if err != nil {
		c.add(Fail, check, "does not exist and could not be created: "+err.Error(), "check KAFKA_PARTITIONS and KAFKA_REPLICATION_FACTOR, or create it with: "+c.Cluster.Creation(spec))
		return
	}
	c.add(OK, check, "does not exist yet: run creates it")
}

// topic checks an existing topic. policies checks the settings that the ledger depends on.
func (c *Check) topic(spec cluster.TopicSpec, topic cluster.Topic, config cluster.TopicConfig) {
	before := len(c.lines)
	check := "topic " + spec.Name
	replicas := len(topic.Partitions[0].Replicas)
	for _, p := range topic.Partitions {
		replicas = min(replicas, len(p.Replicas))
		switch {
		case p.Leader < 0:
			c.add(Fail, check, fmt.Sprintf("partition %d has no leader", p.ID), fmt.Sprintf("start the brokers %v, which have its replicas", p.Replicas))
		case len(p.ISR) < config.MinInsyncReplicas:
			c.add(Fail, check, fmt.Sprintf("partition %d has %d replicas in sync of %d, min.insync.replicas is %d: writes fail", p.ID, len(p.ISR), len(p.Replicas), config.MinInsyncReplicas),
				fmt.Sprintf("start the brokers %v, or lower min.insync.replicas", p.Replicas))
		}
	}
	if config.Err == nil {
		c.durability(check, spec.Name, replicas, config)
		c.retention(check, spec, config)
	}
	if len(c.lines) == before {
		detail := schema.Pluralize(len(topic.Partitions), "partition") + ", " + schema.Pluralize(replicas, "replica")
		if config.Err != nil {
			detail += ", no right to read its configuration"
		}
		c.add(OK, check, detail)
	}
}

// oneReplica warns once about all topics with one replica: in a cluster of one broker all have one.
func (c *Check) oneReplica() {
	if len(c.single) == 0 {
		return
	}
	c.add(Warn, "replicas", strings.Join(c.single, ", ")+" have 1 replica each: acknowledged records are lost with their broker",
		"give them 3 replicas with kafka-reassign-partitions.sh, and min.insync.replicas=2")
}

// durability checks whether acknowledged records can be lost.
func (c *Check) durability(check, name string, replicas int, config cluster.TopicConfig) {
	inSync := func(n int) string {
		return c.Cluster.AlterConfigCommand(name, cluster.ConfigMinInsyncReplicas, strconv.Itoa(n))
	}
	switch least := config.MinInsyncReplicas; {
	case replicas < least:
		c.add(Fail, check, fmt.Sprintf("has %d replicas, and min.insync.replicas is %d: writes fail", replicas, least), inSync(max(1, replicas-1)))
	case replicas == 1:
		c.single = append(c.single, name)
	case least == 1:
		c.add(Warn, check, fmt.Sprintf("has %d replicas, and min.insync.replicas is 1: records acknowledged by only one broker are lost with it", replicas),
			inSync(max(2, replicas-1)))
	case least == replicas:
		c.add(Warn, check, fmt.Sprintf("min.insync.replicas is %d, as many as it has replicas: writes fail while one broker is down", least),
			inSync(max(1, replicas-1)))
	}
	if config.Values[cluster.ConfigUncleanElection] == "true" {
		c.add(Warn, check, "unclean.leader.election.enable is true: a new leader may lack acknowledged records",
			c.Cluster.AlterConfigCommand(name, cluster.ConfigUncleanElection, "false"))
	}
}

// minRetention is the retention below which rows may be deleted before a consumer that was down
// for a weekend has read them.
const minRetention = 3 * 24 * time.Hour

// retention checks whether the topic retains records, and accepts them whatever the clocks say.
func (c *Check) retention(check string, spec cluster.TopicSpec, config cluster.TopicConfig) {
	set := func(name, value string) string { return c.Cluster.AlterConfigCommand(spec.Name, name, value) }
	if config.TimestampType != "" && config.TimestampType != "LogAppendTime" {
		c.add(Warn, check, "message.timestamp.type is "+config.TimestampType+": brokers refuse records when this machine's clock is wrong",
			set(cluster.ConfigTimestampType, "LogAppendTime"))
	}
	if stored := c.Service.Ledger(); spec.Name == stored.Topic || spec.Name == stored.Rows {
		return
	}
	if c.compacted(check, spec.Name, &config) {
		return
	}
	if strings.Contains(config.CleanupPolicy, "compact") {
		c.add(Warn, check, "cleanup.policy is "+config.CleanupPolicy+": only the newest record of each key is retained",
			set(cluster.ConfigCleanupPolicy, "delete"))
	}
	if config.RetentionMs >= 0 && config.RetentionMs < minRetention.Milliseconds() && config.CleanupPolicy != "compact" {
		kept := time.Duration(config.RetentionMs) * time.Millisecond
		c.add(Warn, check, fmt.Sprintf("retention.ms keeps records for only %s", kept),
			set(cluster.ConfigRetention, cluster.Milliseconds(7*24*time.Hour)))
	}
}

// compacted checks the topic of a stream with MODE=changes; false if it is another topic.
func (c *Check) compacted(check, topic string, config *cluster.TopicConfig) bool {
	for i := range c.Service.Streams {
		stream := &c.Service.Streams[i]
		if stream.Topic != topic || !stream.Changes {
			continue
		}
		if fault, ok := errors.AsType[*cluster.ConfigError](pipeline.CompactionFault(c.Cluster, stream, config)); ok {
			c.add(Fail, check, fmt.Sprintf("has %s=%s, MODE=changes needs %s", fault.Config, fault.Have, fault.Want), fault.Repair)
		} else if short := pipeline.ShortTombstones(c.Cluster, stream, config); short != nil {
			c.add(Warn, check, fmt.Sprintf("has %s=%s, %s: a consumer that is down for longer keeps deleted profiles", short.Config, short.Have, short.Want), short.Repair)
		}
		return true
	}
	return false
}

// policies checks the settings for which run refuses a ledger.
func (c *Check) policies(ctx context.Context) {
	faults, err := c.Service.Ledger().CheckPolicies(ctx)
	if err != nil {
		c.add(Fail, "ledger", err.Error())
		return
	}
	for _, fault := range faults {
		policy, ok := errors.AsType[*cluster.ConfigError](fault)
		if !ok {
			c.add(Fail, "ledger", fault.Error())
			continue
		}
		c.add(Fail, "topic "+policy.Topic, fmt.Sprintf("has %s=%s, the ledger needs %s", policy.Config, policy.Have, policy.Want), policy.Repair)
	}
	if fault, err := c.Service.Ledger().CheckCompactionLag(ctx); err == nil && fault != nil {
		c.add(Warn, "topic "+fault.Topic, fmt.Sprintf("has %s=%s, %s are needed: compaction may remove the markers that fence a former owner. "+
			"run sets it if it has the right AlterConfigs", fault.Config, fault.Have, fault.Want), fault.Repair)
	}
}
