package e2e

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestCrash_CheckpointInParts makes the program write a checkpoint in several batches: the
// ledger's topic accepts only small ones, and the program may not read its configuration. It is
// killed when all batches but the last are written. Recovery must not count rows again that the
// records of days count already, and no fingerprints may be lost.
func TestCrash_CheckpointInParts(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, partlyServed())
	day := b.publishPartly()
	settled, checkpoint := []byte(`"state":"settled"`), []byte("checkpoint/1234")
	var armed, part atomic.Bool // part: the settled day's record is written, the checkpoint is not
	held := make(chan struct{}, 1)
	// refuse answers matching requests that append to the ledger with an error.
	refuse := func(err *kerr.Error, match func(records []byte) bool) {
		fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: b.prefix + "ledger", Err: err, Count: -1, When: func(r kmsg.Request) bool {
			return armed.Load() && match(r.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Records)
		}})
	}
	refuse(kerr.MessageTooLarge, func(records []byte) bool {
		return bytes.Contains(records, settled) && bytes.Contains(records, checkpoint)
	})
	refuse(kerr.NotEnoughReplicas, func(records []byte) bool {
		if bytes.Contains(records, settled) {
			part.Store(!bytes.Contains(records, checkpoint))
			return false
		}
		if !bytes.Contains(records, checkpoint) || !part.Load() {
			return false
		}
		select {
		case held <- struct{}{}:
		default:
		}
		return true
	})
	b.environ["CHECKPOINT_INTERVAL"] = "1h"
	for range 3 {
		part.Store(false)
		armed.Store(true)
		p := b.start("run")
		select {
		case <-held:
		case <-time.After(20 * time.Second):
			t.Fatalf("timeout while waiting for the checkpoint:\n%s", p.log())
		}
		p.kill()
		armed.Store(false)
		expectNoLoss(t, p.log())
		select {
		case <-held: // a retry
		default:
		}
	}
	expectNoLoss(t, b.runOnce(0))
	b.checkSettled(day)
	b.checkLedger()
}
