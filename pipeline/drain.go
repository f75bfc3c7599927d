package pipeline

import (
	"context"
	"errors"
	"time"
)

// errShutdown ends the session of an instance that shuts down while Kafka accepts no
// records.
var errShutdown = errors.New("kafka did not acknowledge everything within SHUTDOWN_TIMEOUT")

// limitShutdown ends the session if it still exists ShutdownTimeout after the end of
// ctx: whatever waits for Kafka, including the loop's checkpoints, does not notice that
// ctx has ended. The returned function stops the watch.
func (o *owner) limitShutdown(ctx context.Context) (stop func() bool) {
	return context.AfterFunc(ctx, func() {
		select {
		case <-time.After(o.config.ShutdownTimeout):
			o.session.End(errShutdown)
		case <-o.session.Done():
		}
	})
}

// drain ends the ownership cleanly: exports stop, what they published is acknowledged
// and recorded in the ledger, and the owner's record says that a standby need not wait.
func (o *owner) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.config.ShutdownTimeout)
	defer cancel()
	// An export that waits for Kafka does not notice the end of its context: the end of
	// the session wakes it.
	defer context.AfterFunc(ctx, o.session.Close)()
	o.transfers.TakeBackAll()
	o.heartbeat.release()
	err := o.checkpoint(ctx)
	if err == nil {
		err = o.heartbeat.beat(ctx)
	}
	if err != nil {
		o.log.Warn("stopped before everything was in the ledger: the next start recovers it from the topics", "error", err,
			"do", "nothing, if Kafka was unavailable; otherwise set a longer SHUTDOWN_TIMEOUT")
		return nil
	}
	o.log.Info("stopped, everything is in the ledger")
	return nil
}

// wait returns when all goroutines of the ownership have ended.
func (o *owner) wait() {
	o.transfers.Wait()
	o.watching.Wait()
}

// close ends the session and waits for everything that the ownership started.
func (o *owner) close() {
	o.session.Close()
	o.wait()
}
