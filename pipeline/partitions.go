package pipeline

import (
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
)

// partitions are all that the owner of a service may write.
type partitions struct {
	state, rows cluster.TopicPartition   // of the ledger
	letters     []cluster.TopicPartition // of the dead letters
	all         []cluster.TopicPartition // state, rows, letters, then the streams'
}

func newPartitions(s *Service, stored *store.Ledger, topics map[string]cluster.Topic, state int) *partitions {
	p := &partitions{
		state:   cluster.TopicPartition{Topic: stored.Topic, Partition: state},
		rows:    cluster.TopicPartition{Topic: stored.Rows, Partition: cluster.PartitionOf([]byte(s.ID), len(topics[stored.Rows].Partitions))},
		letters: topics[s.DeadLetterTopic].TopicPartitions(),
	}
	p.all = append([]cluster.TopicPartition{p.state, p.rows}, p.letters...)
	for st := range s.streams {
		p.all = append(p.all, topics[st.Topic].TopicPartitions()...)
	}
	return p
}

// own are those that every stream needs: the ledger's and the dead letters'.
func (p *partitions) own() []cluster.TopicPartition { return p.all[:2+len(p.letters)] }

// recovered are those that a start reads back: all but the ledger's.
func (p *partitions) recovered() []cluster.TopicPartition { return p.all[2:] }

// of are those of a topic.
func (p *partitions) of(topic string) []cluster.TopicPartition {
	var list []cluster.TopicPartition
	for _, at := range p.all {
		if at.Topic == topic {
			list = append(list, at)
		}
	}
	return list
}
