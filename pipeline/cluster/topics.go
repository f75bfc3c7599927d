package cluster

import (
	"context"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go/protocol/metadata"

	"dfinery-kafka/pipeline/recordbatch"
)

// Topic is the current metadata of a topic.
type Topic struct {
	Name       string
	Err        error // nil, or why there are no partitions: see Missing and Forbidden
	Partitions []Partition
	Rights     Rights
}

// TopicPartitions returns all partitions of the topic.
func (t Topic) TopicPartitions() []recordbatch.TopicPartition {
	all := make([]recordbatch.TopicPartition, len(t.Partitions))
	for i := range all {
		all[i] = recordbatch.TopicPartition{Topic: t.Name, Partition: i}
	}
	return all
}

// Partition is one partition of a topic. Partitions are numbered from 0 without gaps.
type Partition struct {
	ID       int
	Leader   int32 // the broker that leads it, or -1
	Replicas []int32
	ISR      []int32 // the in-sync replicas, including the leader
}

// Rights are the operations on a topic that the authorizer grants.
type Rights struct {
	Known       bool // false: the cluster did not report them
	Read, Write bool
}

// Broker is one broker as advertised by the cluster.
type Broker struct {
	ID   int32
	Addr string // HOST:PORT
	Err  error  // from Brokers: why it could not be reached
}

// Topics returns the current metadata of topics, in the order of names, without a cache.
func (c *Cluster) Topics(ctx context.Context, names ...string) ([]Topic, error) {
	if len(names) == 0 {
		return nil, nil
	}
	res, err := c.metadata(ctx, names)
	if err != nil {
		return nil, fmt.Errorf("describe topics: %w", err)
	}
	topics := make([]Topic, len(names))
	for i, name := range names {
		topics[i] = topicOf(name, res.Topics)
	}
	c.leaders.see(topics)
	return topics, nil
}

// Topic returns the metadata of one topic; the error is the Err of Topics.
func (c *Cluster) Topic(ctx context.Context, name string) (Topic, error) {
	topics, err := c.Topics(ctx, name)
	if err != nil {
		return Topic{}, err
	}
	return topics[0], topics[0].Err
}

func topicOf(name string, answers []metadata.ResponseTopic) Topic {
	i := slices.IndexFunc(answers, func(t metadata.ResponseTopic) bool { return t.Name == name })
	if i < 0 {
		return Topic{Name: name, Err: NewBrokerError(3, "the answer does not name the topic")}
	}
	topic := Topic{Name: name, Err: NewBrokerError(answers[i].ErrorCode, ""), Rights: rightsOf(answers[i].TopicAuthorizedOperations)}
	if topic.Err != nil {
		return topic
	}
	for _, p := range answers[i].Partitions {
		topic.Partitions = append(topic.Partitions, Partition{ID: int(p.PartitionIndex), Leader: p.LeaderID, Replicas: p.ReplicaNodes, ISR: p.IsrNodes})
	}
	slices.SortFunc(topic.Partitions, func(a, b Partition) int { return a.ID - b.ID })
	return topic
}

// rightsOf decodes a bit field of AclOperation codes (KIP-430).
func rightsOf(operations int32) Rights {
	const unknown, read, write = -1 << 31, 1 << 3, 1 << 4
	if operations == unknown || operations == 0 {
		return Rights{} // 0 is also what an older version of the answer decodes to
	}
	return Rights{Known: true, Read: operations&read != 0, Write: operations&write != 0}
}

func (c *Cluster) metadata(ctx context.Context, names []string) (*metadata.Response, error) {
	req := &metadata.Request{TopicNames: names, IncludeTopicAuthorizedOperations: true}
	res, err := c.send(ctx, anyBroker, req)
	if err != nil {
		return nil, err
	}
	return res.(*metadata.Response), nil
}
