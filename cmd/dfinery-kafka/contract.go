package main

import (
	"github.com/spf13/cobra"

	"dfinery-kafka/pipeline/command"
)

func contractCommand() *cobra.Command {
	accept := verbCommand(command.VerbAccept, "Accept a stream's new columns and resume it",
		"Accept the new columns because of which the stream is halted, and retry it immediately. A paused stream remains paused.", nil)
	accept.Example = "  dfinery-kafka contract accept events"
	return group(&cobra.Command{
		Use:   "contract",
		Short: "Accept new columns of a stream that is halted because of them",
		Long: `Accept new columns of a stream that is halted because of them, as STREAM_X_CONTRACT=freeze demands.

The accepted columns are printed, and stay accepted.`,
		Example: accept.Example,
	}, accept)
}
