package main

import (
	"errors"
	"io"
	"sync/atomic"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/check"
	"dfinery-kafka/cmd/config"
)

func checkCommand() *cobra.Command {
	var asJSON, call, state bool
	var stream string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Verify configuration, connectivity, permissions and topics, and say how to fix them",
		Long: `Look at the configuration, the API's host, the brokers, rights, topics, clocks, the fence and the ledger, a line each: ok, warn
or fail, with the command or sentence that fixes it. It disturbs nobody: the owner is not fenced, no topic is created, no quota is spent.

With --call it spends one export call, of the first event stream or of the one that --stream names, and shows its columns, whether the
key column and df_external_id came, whether to_date looks inclusive, and how many calls are left.

What the ledger says of the service, a refused token, a halted stream or an open breaker, is a warning: the instance that brings the new token
has to start. With --state it fails.

Exit codes: 0 nothing failed, 1 something did, 2 wrong configuration.`,
		Example: `  dfinery-kafka check
  dfinery-kafka check --call
  dfinery-kafka check --json | jq '.checks[] | select(.status != "ok")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, report, err := loadConfig(io.Discard)
			if err != nil {
				return err
			}
			if err := checkStreamFlag(c, stream, call); err != nil {
				return &exitError{exitUsage, err}
			}
			var legacy atomic.Bool
			a, err := newApp(c, app.Options{Legacy: func() { legacy.Store(true) }})
			if err != nil {
				return err
			}
			defer a.Close()
			look := &check.Check{
				Config: c, Warnings: report.Warnings, Cluster: a.Service.Cluster, Service: a.Service, Client: a.Client(), Policy: a.Policy(), Call: call, Stream: stream, State: state,
				LegacyLogin: legacy.Load,
			}
			lines := look.Run(cmd.Context())
			write := check.WriteText
			if asJSON {
				write = check.WriteJSON
			}
			if err := write(cmd.OutOrStdout(), lines); err != nil {
				return err
			}
			if check.Failed(lines) {
				return errors.New("check failed")
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&state, "state", false, "fail when the ledger says that the token is refused, a stream is halted or the breaker is open")
	cmd.Flags().StringVar(&stream, "stream", "", "the `STREAM` to export with --call")
	cmd.Flags().BoolVar(&call, "call", false, "spend one export call")
	return cmd
}

// checkStreamFlag refuses a --stream that names no stream, or that of no call.
func checkStreamFlag(c *config.Config, stream string, call bool) error {
	switch {
	case stream == "":
		return nil
	case !call:
		return errors.New("--stream needs --call: it names the stream of that call")
	}
	_, err := streamOf(c, stream)
	return err
}
