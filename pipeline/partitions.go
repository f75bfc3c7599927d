package pipeline

import (
	"slices"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/transfer"
)

// partitions are all partitions that the owner of a service writes.
type partitions struct {
	state, rows recordbatch.TopicPartition   // of the ledger
	letters     []recordbatch.TopicPartition // of the dead letters
	all         []recordbatch.TopicPartition // state, rows, letters, then the streams'
}

func newPartitions(c *Config, stored *store.Ledger, topics map[string]cluster.Topic, state int) *partitions {
	p := &partitions{
		state:   recordbatch.TopicPartition{Topic: stored.Topic, Partition: state},
		rows:    recordbatch.TopicPartition{Topic: stored.Rows, Partition: cluster.PartitionOf([]byte(c.ID), len(topics[stored.Rows].Partitions))},
		letters: topics[c.DeadLetterTopic].TopicPartitions(),
	}
	p.all = append([]recordbatch.TopicPartition{p.state, p.rows}, p.letters...)
	for i := range c.Streams {
		p.all = append(p.all, topics[c.Streams[i].Topic].TopicPartitions()...)
	}
	return p
}

// shared returns the partitions that every stream needs: the ledger's and the dead
// letters'.
func (p *partitions) shared() []recordbatch.TopicPartition { return p.all[:2+len(p.letters)] }

// recovered returns the partitions that recovery reads: all except the ledger's, and
// those of streams with MODE=changes, whose exports read them.
func (p *partitions) recovered(streams []transfer.Stream) []recordbatch.TopicPartition {
	changes := map[string]bool{}
	for i := range streams {
		changes[streams[i].Topic] = streams[i].Changes
	}
	return slices.DeleteFunc(slices.Clone(p.all[2:]), func(at recordbatch.TopicPartition) bool { return changes[at.Topic] })
}

// of returns the partitions of a topic.
func (p *partitions) of(topic string) []recordbatch.TopicPartition {
	var list []recordbatch.TopicPartition
	for _, at := range p.all {
		if at.Topic == topic {
			list = append(list, at)
		}
	}
	return list
}
