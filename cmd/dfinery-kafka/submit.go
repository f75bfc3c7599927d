package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
)

// submit writes a command for a stream of the configuration and waits for its result.
func submit(cmd *cobra.Command, stream string, patience time.Duration, fill func(*ledger.Command)) error {
	c, a, err := openService(cmd)
	if err != nil {
		return err
	}
	defer a.Close()
	if _, err := streamOf(c, stream); err != nil {
		return &exitError{exitUsage, err}
	}
	stored := a.Service.Ledger()
	command := newCommand(stored, stream)
	fill(command)
	if err := stored.Submit(cmd.Context(), command); err != nil {
		return err
	}
	return await(cmd.Context(), cmd.OutOrStdout(), stored, command, patience)
}

// newCommand returns a command for a stream, submitted now, without a verb yet.
func newCommand(stored *store.Ledger, stream string) *ledger.Command {
	return &ledger.Command{ID: commandID(), Service: stored.Service, Stream: stream, Given: time.Now().UTC(), By: who()}
}

// commandID returns a unique id that sorts by time.
func commandID() string {
	return time.Now().UTC().Format("20060102T150405.000") + "-" + rand.Text()[:8]
}

// who is the user and host that submit a command.
func who() string {
	host, _ := os.Hostname()
	if u, err := user.Current(); err == nil {
		return u.Username + "@" + host
	}
	return host
}

// await waits for the result of a command and prints it. If no owner carries it out in time, it
// remains queued in the ledger, and the exit code says that work is left.
func await(ctx context.Context, out io.Writer, stored *store.Ledger, given *ledger.Command, patience time.Duration) error {
	if patience <= 0 {
		fmt.Fprintf(out, "%s %s: queued in the ledger; the service's owner carries it out\n", given.Verb, given.Stream)
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var wrong error
	taken := false
	shown := terminal.NewProgress(out, given.Verb+" "+given.Stream)
	defer shown.End()
	err := stored.Watch(ctx, given, 200*time.Millisecond, func(c *ledger.Command) bool {
		if c.Taken != nil && !taken {
			taken = true
			fmt.Fprintf(out, "%s %s: accepted by the owner\n", c.Verb, given.Stream)
		}
		if c.Done == nil {
			if c.Total > 0 {
				shown.At(c.Finished, c.Total, "")
			}
			return true
		}
		shown.End()
		if c.Result != "" {
			fmt.Fprintf(out, "%s %s: %s\n", c.Verb, given.Stream, c.Result)
		}
		if c.Error != "" {
			wrong = fmt.Errorf("%s %s: %s", given.Verb, given.Stream, c.Error)
		}
		return false
	})
	deadline, _ := ctx.Deadline()
	late := !time.Now().Before(deadline) // not derived from err: a connection has the same deadline and reports an i/o timeout
	switch {
	case err == nil:
		return wrong
	case late && !taken:
		return &exitError{exitLeft, fmt.Errorf("%s %s: no active instance accepted it within %s; it remains queued for the service's owner", given.Verb, given.Stream, patience)}
	case late:
		return &exitError{exitLeft, fmt.Errorf("%s %s: still in progress after %s: see dfinery-kafka status", given.Verb, given.Stream, patience)}
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s %s: %v: it remains queued in the ledger, and the owner carries it out", given.Verb, given.Stream, context.Cause(ctx))
	}
	return err
}
