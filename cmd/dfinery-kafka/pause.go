package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
)

func pauseCommand() *cobra.Command {
	return verbCommand(command.VerbPause, "Stop exporting a stream until it is resumed", `Stop exporting a stream, across restarts, until "dfinery-kafka resume". Exports that are under way finish.`, nil)
}

func resumeCommand() *cobra.Command {
	return verbCommand(command.VerbResume, "Go on with a stream that was paused or is halted", "Go on with a stream that was paused, or try one that is halted again at once. A token that was refused is tried at once, too.", nil)
}

// verbCommand makes the command of a verb that needs nothing but a stream, or what fill, if it is not nil, adds.
func verbCommand(verb, short, long string, fill func(*ledger.Command)) *cobra.Command {
	var patience time.Duration
	cmd := &cobra.Command{
		Use: verb + " STREAM", Short: short, Long: long,
		Example: "  dfinery-kafka " + verb + " events",
		Args:    needs(aStream), ValidArgsFunction: completeStream,
		RunE: func(cmd *cobra.Command, args []string) error {
			err := submit(cmd, args[0], patience, func(c *ledger.Command) {
				c.Verb = verb
				if fill != nil {
					fill(c)
				}
			})
			if exit, ok := errors.AsType[*exitError](err); ok && exit.code == exitLeft && !cmd.Flags().Changed("wait") {
				fmt.Fprintln(cmd.OutOrStdout(), exit) // it was given, and that it is carried out at once was not asked for
				return nil
			}
			return err
		},
	}
	cmd.Flags().DurationVar(&patience, "wait", 5*time.Second, "how long to wait for the owner to carry it out; 0 does not wait")
	return cmd
}
