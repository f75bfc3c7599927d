package main

import (
	"github.com/spf13/cobra"

	"dfinery-kafka/pipeline/command"
)

func contractCommand() *cobra.Command {
	accept := verbCommand(command.VerbAccept, "Accept a stream's new columns, and go on with it",
		"Accept the columns for which the stream is halted, and try it again at once. A paused stream stays paused.", nil)
	accept.Example = "  dfinery-kafka contract accept events"
	return group(&cobra.Command{
		Use:   "contract",
		Short: "Accept new columns of a stream that is halted for them",
		Long: `Accept new columns of a stream that is halted for them, because of STREAM_X_CONTRACT=freeze.

The accepted columns are printed, and stay accepted.`,
		Example: accept.Example,
	}, accept)
}
