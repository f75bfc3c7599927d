package producer

import (
	"fmt"
	"time"

	"dfinery-kafka/pipeline/recordbatch"
)

// fenceHolds is how long after its last renewal a fence may be relied on. Brokers forget a producer of a partition a day after its
// last write (producer.id.expiration.ms), and a transactional id after seven; half of the shorter leaves room.
const fenceHolds = 12 * time.Hour

// instant is a point in time on the two clocks that a suspended machine or a corrected clock can't both deceive.
type instant struct {
	wall time.Time
	boot time.Duration
}

func instantAt(wall time.Time) instant { return instant{wall.Round(0), bootTime()} }

// since is the longer of the times that the two clocks saw pass.
func (i instant) since(now instant) time.Duration { return max(now.wall.Sub(i.wall), now.boot-i.boot) }

// mayWrite is why nothing may be written to the partition: the fence was not renewed for so long
// that it may be gone, or it no longer covers the partition.
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
