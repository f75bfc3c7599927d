package pipeline

import "context"

// loopCalls passes functions from exports to the owner's loop, which runs them one at a
// time.
type loopCalls chan *loopCall

// loopCall is a function that an export runs in the loop.
type loopCall struct {
	do   func(context.Context) error // returns errors of Kafka
	done chan error                  // of one, buffered
}

// do runs a function in the loop, and waits for it. If ctx ends first, the function may
// still run: its results may be read only if do returns nil or the function's error.
// The caller must not hold a lock.
func (calls loopCalls) do(ctx context.Context, do func(context.Context) error) error {
	c := &loopCall{do: do, done: make(chan error, 1)}
	select {
	case calls <- c:
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

// run runs the function. Only the loop calls it.
func (c *loopCall) run(ctx context.Context) error {
	err := c.do(ctx)
	c.done <- err
	return err
}
