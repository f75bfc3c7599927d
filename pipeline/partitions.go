package pipeline

import (
	"slices"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
)

// partitions are all that the owner of a service may write.
type partitions struct {
	state, rows recordbatch.TopicPartition   // of the ledger
	letters     []recordbatch.TopicPartition // of the dead letters
	all         []recordbatch.TopicPartition // state, rows, letters, then the streams'
}

func newPartitions(s *Service, stored *store.Ledger, topics map[string]cluster.Topic, state int) *partitions {
	p := &partitions{
		state:   recordbatch.TopicPartition{Topic: stored.Topic, Partition: state},
		rows:    recordbatch.TopicPartition{Topic: stored.Rows, Partition: cluster.PartitionOf([]byte(s.ID), len(topics[stored.Rows].Partitions))},
		letters: topics[s.DeadLetterTopic].TopicPartitions(),
	}
	p.all = append([]recordbatch.TopicPartition{p.state, p.rows}, p.letters...)
	for st := range s.streams {
		p.all = append(p.all, topics[st.Topic].TopicPartitions()...)
	}
	return p
}

// own are those that every stream needs: the ledger's and the dead letters'.
func (p *partitions) own() []recordbatch.TopicPartition { return p.all[:2+len(p.letters)] }

// recovered are those that a start reads back: all but the ledger's, and those of streams of changes, whose exports read them.
func (p *partitions) recovered(s *Service) []recordbatch.TopicPartition {
	changes := map[string]bool{}
	for st := range s.streams {
		changes[st.Topic] = st.Changes
	}
	return slices.DeleteFunc(slices.Clone(p.all[2:]), func(at recordbatch.TopicPartition) bool { return changes[at.Topic] })
}

// of are those of a topic.
func (p *partitions) of(topic string) []recordbatch.TopicPartition {
	var list []recordbatch.TopicPartition
	for _, at := range p.all {
		if at.Topic == topic {
			list = append(list, at)
		}
	}
	return list
}
