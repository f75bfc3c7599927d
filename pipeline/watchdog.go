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

// watchSilence cancels ctx with giveUp when Kafka has not answered for patience, if
// that is set. The returned function stops it and cancels ctx.
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

// silenceError is the error for a Kafka that has been silent for too long.
func silenceError(h *cluster.Health, patience time.Duration) error {
	if h.Since.IsZero() { // no request has failed yet: all are waiting
		return fmt.Errorf("kafka has not answered for %s", patience)
	}
	return fmt.Errorf("kafka has not answered for %s: %w", patience, h.Err)
}

// stuckAfter is how long a partition may accept no records before the others continue
// without it.
const stuckAfter = 30 * time.Second

// refusedAfter is the same if the right to write is missing: it is longer than brokers
// need to learn about a new right. Other waits are logged after that time.
const refusedAfter = stuckAfter / 6

// watch logs the partition that blocks others, and ends the session if it does so for
// too long: a checkpoint waits for every acknowledgement. The next ownership excludes a
// partition that can't be written, and its stream waits.
func watch(ctx context.Context, session *producer.Session, log *slog.Logger) {
	var look <-chan time.Time // nil while no partition waits
	for {
		select {
		case <-ctx.Done():
			return
		case <-session.Done():
			return
		case <-session.Retried():
			if look == nil {
				look = time.Tick(refusedAfter)
			}
		case <-look:
			endStuck(session, log)
			if len(session.Waiting()) == 0 {
				look = nil
			}
		}
	}
}

// endStuck looks once for a partition that has accepted no records for too long.
func endStuck(session *producer.Session, log *slog.Logger) {
	if p, err := session.Stuck(stuckAfter); err != nil {
		session.End(fmt.Errorf("%v has taken no records for %s: %w", p, stuckAfter, err))
	} else if p, err := session.Stuck(refusedAfter); cluster.Forbidden(err) {
		session.End(fmt.Errorf("%v has taken no records for %s: %w", p, refusedAfter, err))
	} else if err != nil {
		log.Warn("waiting for Kafka to accept records", "partition", p, "error", err,
			"do", "check the brokers of this partition; the records are sent until they are accepted")
	}
}
