package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
)

func pauseCommand() *cobra.Command {
	return steerCommand(pipeline.VerbPause, "Stop exporting a stream until it is resumed", `Stop exporting a stream, across restarts, until "dfinery-kafka resume". What is under way ends as it would.`)
}

func resumeCommand() *cobra.Command {
	return steerCommand(pipeline.VerbResume, "Go on with a stream that was paused or is halted", "Go on with a stream that was paused, or try one that is halted again at once.")
}

// steerCommand gives the owner a command that needs nothing but a stream.
func steerCommand(verb, short, long string) *cobra.Command {
	var patience time.Duration
	cmd := &cobra.Command{
		Use: verb + " STREAM", Short: short, Long: long,
		Example: "  dfinery-kafka " + verb + " events",
		Args:    needs(aStream), ValidArgsFunction: completeStream,
		RunE: func(cmd *cobra.Command, args []string) error {
			return give(cmd, args[0], patience, func(c *ledger.Command) { c.Verb = verb })
		},
	}
	cmd.Flags().DurationVar(&patience, "wait", 5*time.Second, "how long to wait until it is carried out; 0 does not wait")
	return cmd
}

// give writes a command for a stream of the configuration and waits for its result.
func give(cmd *cobra.Command, stream string, patience time.Duration, fill func(*ledger.Command)) error {
	c, kafka, err := reach(cmd)
	if err != nil {
		return err
	}
	defer kafka.Close()
	if _, err := streamOf(c, stream); err != nil {
		return &exitError{exitUsage, err}
	}
	books := &ledger.Books{Cluster: kafka, Topic: string(c.Publish.LedgerTopic), Service: string(c.DFINERY.Service)}
	command := &ledger.Command{ID: commandID(), Service: books.Service, Stream: stream, Given: time.Now().UTC(), By: who()}
	fill(command)
	if err := books.Give(cmd.Context(), command); err != nil {
		return err
	}
	return await(cmd.Context(), cmd.OutOrStdout(), books, command, patience)
}

func streamOf(c *config.Config, name string) (*config.Stream, error) {
	names := make([]string, len(c.Streams))
	for i := range c.Streams {
		if c.Streams[i].Name == name {
			return &c.Streams[i], nil
		}
		names[i] = c.Streams[i].Name
	}
	if near := config.Nearest(name, names, 2); near != "" {
		return nil, fmt.Errorf("there is no stream %q: did you mean %s? STREAMS has %s", name, near, strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("there is no stream %q: STREAMS has %s", name, strings.Join(names, ", "))
}
