package pipeline

import "dfinery-kafka/pipeline/cluster"

// Rights returns exactly the rights that the service needs in a cluster with an
// authorizer: those that check verifies, the README lists, and tests grant. In Kafka,
// Read and Write imply Describe; since Kafka 2.8 (KIP-679) an idempotent producer needs
// only Write on the topic.
func (c *Config) Rights() []cluster.Right {
	var rights []cluster.Right
	add := func(topic string, op cluster.Operation, purpose string) {
		rights = append(rights, cluster.Right{Resource: cluster.TopicResource, Name: topic, Operation: op, Purpose: purpose, Optional: op == cluster.DescribeConfigs})
	}
	stored := c.Ledger()
	uses := []struct{ topic, write, read string }{
		{stored.Topic, "write the ledger", "find out what has been published"},
		{stored.Rows, "write the fingerprints of rows", "find out what has been published"},
		{c.DeadLetterTopic, "publish dead letters", "recover after a crash, list and replay dead letters"},
	}
	for i := range c.Streams {
		uses = append(uses, struct{ topic, write, read string }{c.Streams[i].Topic, "publish the rows of stream " + c.Streams[i].Name, "recover after a crash"})
	}
	for _, use := range uses {
		add(use.topic, cluster.Write, use.write)
		add(use.topic, cluster.Read, use.read)
		add(use.topic, cluster.DescribeConfigs, "know the maximum size of a record, and whether the topic deletes records")
		if c.CreateTopics {
			add(use.topic, cluster.Create, "create the topic")
		}
	}
	if id := c.TransactionalID(); id != "" {
		rights = append(rights,
			cluster.Right{Resource: cluster.TransactionalResource, Name: id, Operation: cluster.Write, Purpose: "fence older instances"},
			cluster.Right{Resource: cluster.TransactionalResource, Name: id + CheckSuffix, Operation: cluster.Write, Purpose: "let check rehearse a takeover", Optional: true})
	}
	return rights
}

// CheckSuffix makes a separate transactional id for rehearsals, which must never fence
// the owner.
const CheckSuffix = ".check"
