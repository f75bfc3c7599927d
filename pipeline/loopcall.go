package pipeline

import "context"

// loopCall is a function that an export runs in the loop.
type loopCall struct {
	do   func(context.Context) error // an error is Kafka's
	done chan error                  // of one, buffered
}

// onLoop runs a function in the loop, and waits for it. The caller holds no lock.
func (k *profileKeeper) onLoop(ctx context.Context, do func(context.Context) error) error {
	c := &loopCall{do: do, done: make(chan error, 1)}
	select {
	case k.calls <- c:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-c.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call runs the function of an export. It is for the loop.
func (c *loopCall) call(ctx context.Context) error {
	err := c.do(ctx)
	c.done <- err
	return err
}
