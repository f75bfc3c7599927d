package pipeline

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/pipeline/producer"
)

// TestHeartbeat_During: heartbeats are written during long work, and the work's error is returned.
// When another instance has taken over, the work ends.
func TestHeartbeat_During(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := b.takeOver()
		o.heartbeat.begin(o.config, time.Now())
		failed := errors.New("failed")
		err := o.heartbeat.during(t.Context(), 10*time.Second, func(context.Context) error {
			for range 3 {
				time.Sleep(25 * time.Second)
				if beat := b.load().Owner.Beat; time.Since(beat) > 10*time.Second {
					t.Errorf("the last heartbeat was %s ago", time.Since(beat))
				}
			}
			return failed
		})
		if !errors.Is(err, failed) {
			t.Errorf("error %v, want that of the work", err)
		}
		err = o.heartbeat.during(t.Context(), 10*time.Second, func(ctx context.Context) error {
			b.takeOver().session.Close()
			<-ctx.Done()
			return ctx.Err()
		})
		if !errors.Is(err, producer.ErrFenced) {
			t.Errorf("error %v, want that another instance has taken over", err)
		}
	})
}
