package pipeline

import (
	"context"
	"fmt"
	"sync"
	"time"

	"dfinery-kafka/pipeline/cluster"
)

// patience is how long Once waits for Kafka.
const patience = 20 * time.Second

// listen ends ctx by giveUp when Kafka has answered nothing for as long as Once waits. Without Once nothing does. The
// returned function ends it, and ctx.
func (s *Service) listen(ctx context.Context, giveUp context.CancelCauseFunc) func() {
	var listening sync.WaitGroup
	if s.Once {
		listening.Go(func() {
			look := time.NewTicker(time.Second)
			defer look.Stop()
			for ctx.Err() == nil {
				select {
				case <-ctx.Done():
				case <-look.C:
				}
				if h := s.Cluster.Health(); !h.Silent.IsZero() && time.Since(h.Silent) >= patience {
					giveUp(unheard(&h))
				}
			}
		})
	}
	return func() {
		giveUp(nil)
		listening.Wait()
	}
}

// unheard is the end of Once for the silence of Kafka.
func unheard(h *cluster.Health) error {
	if h.Since.IsZero() { // no request has failed yet: all wait
		return fmt.Errorf("kafka has not answered for %s", patience)
	}
	return fmt.Errorf("kafka has not answered for %s: %w", patience, h.Err)
}
