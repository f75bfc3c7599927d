package transfer

import (
	"context"
	"sync"
	"time"
)

// linger is about how long a record waits in an open batch for others, like linger.ms
// of Java's producer.
const linger = 500 * time.Millisecond

// sendWhenIdle sends what stands in open batches once no row has come for linger, or
// twice that: a source that pauses would hold rows back until the next checkpoint. A
// look takes no time from the rows, nor does it wait for them. The returned function
// ends it.
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

// flushOpen sends the open batches that the export may have rows or dead letters in;
// false when one can't be sent now. The caller holds mu.
func (e *Export) flushOpen() bool {
	all := e.records.tryFlush()
	if e.sum.NewBad > 0 {
		all = e.letters.out.TryFlush() && all
	}
	return all
}
