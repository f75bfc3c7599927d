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
	return verbCommand(command.VerbPause, "Stop exporting a stream until it is resumed", `Stop exporting a stream, across restarts, until "dfinery-kafka resume". Exports in progress finish.`, nil)
}

func resumeCommand() *cobra.Command {
	return verbCommand(command.VerbResume, "Resume a stream that is paused or halted", "Resume a paused stream, or retry a halted one immediately. A token that the API refused is also retried immediately.", nil)
}

// verbCommand makes the command for a verb whose only argument is a stream. fill, if not nil,
// adds more to the command.
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
				fmt.Fprintln(cmd.OutOrStdout(), exit) // the command is in the ledger; without --wait that is a success
				return nil
			}
			return err
		},
	}
	cmd.Flags().DurationVar(&patience, "wait", 5*time.Second, "how long to wait for the result; 0 does not wait")
	return cmd
}
