package producer

import (
	"fmt"
	"time"

	"dfinery-kafka/pipeline/recordbatch"
)

// fenceHolds is how long after its last renewal a fence is relied on. Brokers forget a
// partition's producer a day after its last write (producer.id.expiration.ms), and a
// transactional id after seven days; half of the shorter time leaves a margin.
const fenceHolds = 12 * time.Hour

// instant is a point in time on two clocks, of which at least one is correct after a suspend of
// the machine or a correction of the wall clock.
type instant struct {
	wall time.Time
	boot time.Duration
}

func instantAt(wall time.Time) instant { return instant{wall.Round(0), bootTime()} }

// since is the longer of the times elapsed on the two clocks.
func (i instant) since(now instant) time.Duration { return max(now.wall.Sub(i.wall), now.boot-i.boot) }

// mayWrite returns why nothing may be written to the partition: the fence may have expired
// because it was not renewed, or it no longer covers the partition.
func (s *Session) mayWrite(at recordbatch.TopicPartition) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.fenced[at]:
		return fmt.Errorf("%w: write to %v: %w", ErrRestore, at, ErrNotOwned)
	case s.fence.TransactionalID != "" && s.renewed.since(instantAt(s.now())) > fenceHolds:
		return ErrStale
	}
	return nil
}
