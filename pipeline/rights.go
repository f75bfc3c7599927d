package pipeline

import "dfinery-kafka/pipeline/cluster"

// Rights are all that the service needs of a cluster with an authorizer, and no more:
// what check asks for, the README lists, and the tests grant. In Kafka, Read and Write
// imply Describe; an idempotent producer needs Write on a topic alone since Kafka 2.8
// (KIP-679).
func (c *Config) Rights() []cluster.Right {
	var rights []cluster.Right
	add := func(topic string, op cluster.Operation, purpose string) {
		rights = append(rights, cluster.Right{Resource: cluster.TopicResource, Name: topic, Operation: op, Purpose: purpose, Optional: op == cluster.DescribeConfigs})
	}
	stored := c.Ledger()
	uses := []struct{ topic, write, read string }{
		{stored.Topic, "keep the ledger", "find out what has been published"},
		{stored.Rows, "keep the fingerprints of rows", "find out what has been published"},
		{c.DeadLetterTopic, "publish dead letters", "restore after a crash, list and replay dead letters"},
	}
	for i := range c.Streams {
		uses = append(uses, struct{ topic, write, read string }{c.Streams[i].Topic, "publish the rows of stream " + c.Streams[i].Name, "restore after a crash"})
	}
	for _, use := range uses {
		add(use.topic, cluster.Write, use.write)
		add(use.topic, cluster.Read, use.read)
		add(use.topic, cluster.DescribeConfigs, "know how large a record may be, and whether the topic forgets")
		if c.CreateTopics {
			add(use.topic, cluster.Create, "create the topic")
		}
	}
	if id := c.transactionalID(); id != "" {
		rights = append(rights,
			cluster.Right{Resource: cluster.TransactionalResource, Name: id, Operation: cluster.Write, Purpose: "fence older instances"},
			cluster.Right{Resource: cluster.TransactionalResource, Name: id + CheckSuffix, Operation: cluster.Write, Purpose: "let check rehearse the fence", Optional: true})
	}
	return rights
}

// CheckSuffix makes a transactional id of its own for rehearsals, which must never fence the owner.
const CheckSuffix = ".check"
