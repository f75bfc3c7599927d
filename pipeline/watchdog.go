package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/producer"
)

// watchSilence ends ctx by giveUp when Kafka has answered nothing for as long as
// patience, if that is set. The returned function ends it, and ctx.
func watchSilence(ctx context.Context, giveUp context.CancelCauseFunc, k *cluster.Cluster, patience time.Duration) func() {
	var listening sync.WaitGroup
	if patience > 0 {
		listening.Go(func() {
			look := time.NewTicker(time.Second)
			defer look.Stop()
			for ctx.Err() == nil {
				select {
				case <-ctx.Done():
				case <-look.C:
				}
				if h := k.Health(); !h.Silent.IsZero() && time.Since(h.Silent) >= patience {
					giveUp(silenceError(&h, patience))
				}
			}
		})
	}
	return func() {
		giveUp(nil)
		listening.Wait()
	}
}

// silenceError is the error of a Kafka that was silent for too long.
func silenceError(h *cluster.Health, patience time.Duration) error {
	if h.Since.IsZero() { // no request has failed yet: all wait
		return fmt.Errorf("kafka has not answered for %s", patience)
	}
	return fmt.Errorf("kafka has not answered for %s: %w", patience, h.Err)
}

// stuckAfter is how long a partition may take nothing before the others are to go on without it.
const stuckAfter = 30 * time.Second

// refusedAfter is the same where the right to write is missing: longer than brokers
// take to learn of a new right, which nothing else brings. Whatever else is waited for
// that long is said.
const refusedAfter = stuckAfter / 6

// watch says which partition is waited for, and ends the session when it holds all the
// others up for too long: a checkpoint waits for every acknowledgement. The next
// ownership leaves a partition out that can't be written, and its stream waits.
func watch(ctx context.Context, session *producer.Session, log *slog.Logger) {
	look := time.NewTicker(refusedAfter)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-session.Done():
			return
		case <-look.C:
			if p, err := session.Stuck(stuckAfter); err != nil {
				session.End(fmt.Errorf("%v has taken no records for %s: %w", p, stuckAfter, err))
			} else if p, err := session.Stuck(refusedAfter); cluster.Forbidden(err) {
				session.End(fmt.Errorf("%v has taken no records for %s: %w", p, refusedAfter, err))
			} else if err != nil {
				log.Warn("waiting for Kafka to take records", "partition", p, "error", err,
					"do", "look at the brokers that hold it: it is tried until they take them")
			}
		}
	}
}
