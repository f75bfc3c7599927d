package pipeline

import (
	"context"
	"fmt"
	"time"
)

// stuckAfter is how long a partition may take nothing before the others are to go on without it.
const stuckAfter = 30 * time.Second

// watch says which partition is waited for, and ends the session when it holds all the others up for too long: a checkpoint waits for
// every acknowledgement. The next tenure leaves a partition out that can't be written, and its stream waits.
func (t *tenure) watch(ctx context.Context) {
	look := time.NewTicker(stuckAfter / 6)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.session.Done():
			return
		case <-look.C:
			if p, err := t.session.Stuck(stuckAfter); err != nil {
				t.session.End(fmt.Errorf("%v has taken no records for %s: %w", p, stuckAfter, err))
			} else if p, err := t.session.Stuck(stuckAfter / 6); err != nil {
				t.log.Warn("waiting for Kafka to take records", "partition", p, "error", err,
					"do", "look at the brokers that hold it: it is tried until they take them")
			}
		}
	}
}
