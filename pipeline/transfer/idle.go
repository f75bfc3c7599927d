package transfer

import (
	"context"
	"sync"
	"time"
)

// linger is roughly how long a record waits in an open batch for others, like linger.ms
// of the Java producer.
const linger = 500 * time.Millisecond

// sendWhenIdle sends open batches when no row has arrived for linger, or up to twice
// that. Otherwise a source that pauses would delay rows until the next checkpoint. It
// neither delays rows nor waits for them. The returned function stops it.
func (e *Export) sendWhenIdle(ctx context.Context) func() {
	ctx, stop := context.WithCancel(ctx)
	var looking sync.WaitGroup
	looking.Go(func() {
		look := time.NewTicker(linger)
		defer look.Stop()
		var last, sent Tally
		for {
			select {
			case <-ctx.Done():
				return
			case <-look.C:
			}
			if !e.mu.TryLock() {
				continue // rows are being appended, or a checkpoint sends everything
			}
			if e.sum == last && e.sum != sent && e.flushOpen() {
				sent = e.sum
				e.showProgress()
			}
			last = e.sum
			e.mu.Unlock()
		}
	})
	return func() {
		stop()
		looking.Wait()
	}
}

// flushOpen sends the open batches in which the export may have rows or dead letters;
// false if one can't be sent now. The caller holds mu.
func (e *Export) flushOpen() bool {
	all := e.records.tryFlush()
	if e.sum.NewBad > 0 {
		all = e.letters.out.TryFlush() && all
	}
	return all
}
