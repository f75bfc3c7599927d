package pipeline

import (
	"context"
	"errors"
	"time"
)

// errShutdown ends the session of an instance that is to stop while Kafka accepts nothing.
var errShutdown = errors.New("kafka did not take everything within SHUTDOWN_TIMEOUT")

// limitShutdown ends the session when it is still there ShutdownTimeout after the end
// of ctx: what waits for Kafka can't see that ctx has ended, the loop's checkpoints
// included. The returned function ends the watch.
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
// and entered into the ledger, and the owner's record says that a standby need not
// wait.
func (o *owner) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.config.ShutdownTimeout)
	defer cancel()
	// An export that waits for Kafka can't see that its context has ended: the session's end wakes it.
	defer context.AfterFunc(ctx, o.session.Close)()
	o.transfers.TakeBackAll()
	o.heartbeat.release()
	err := o.checkpoint(ctx)
	if err == nil {
		err = o.heartbeat.beat(ctx)
	}
	if err != nil {
		o.log.Warn("stopped before everything was in the ledger: the next start restores it from the topics", "error", err,
			"do", "nothing, if Kafka was away; else a longer SHUTDOWN_TIMEOUT")
		return nil
	}
	o.log.Info("stopped, everything is in the ledger")
	return nil
}

// wait returns when nothing runs beside the loop any more.
func (o *owner) wait() {
	o.transfers.Wait()
	o.watching.Wait()
}

// close ends the session and waits for everything that the ownership started.
func (o *owner) close() {
	o.session.Close()
	o.wait()
}
