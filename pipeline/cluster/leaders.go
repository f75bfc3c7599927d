package cluster

import (
	"sync"
	"time"

	"dfinery-kafka/pipeline/recordbatch"
)

// leaders remembers for a moment who leads each partition, so that the reads that follow a look
// at a topic need not ask again. The zero value knows none.
type leaders struct {
	mu    sync.Mutex // guards the following
	known map[recordbatch.TopicPartition]leader
}

type leader struct {
	broker int32
	seen   time.Time
}

// leaderAge is how long a leader is remembered: long enough for the reads of one recovery, and
// too short to often send a read to a broker that has died since.
const leaderAge = time.Second

// see remembers the leaders in an answer.
func (l *leaders) see(topics []Topic) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.known == nil {
		l.known = map[recordbatch.TopicPartition]leader{}
	}
	now := time.Now()
	for _, t := range topics {
		for _, p := range t.Partitions {
			l.known[recordbatch.TopicPartition{Topic: t.Name, Partition: p.ID}] = leader{p.Leader, now}
		}
	}
}

// of returns the leader of a partition, or -1 if it is not known.
func (l *leaders) of(p recordbatch.TopicPartition) int32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.known[p]
	if !ok || time.Since(known.seen) > leaderAge {
		return -1
	}
	return known.broker
}

// forget makes the next read of a partition ask for its leader: a broker did not answer as the
// leader does.
func (l *leaders) forget(p recordbatch.TopicPartition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, p)
}
