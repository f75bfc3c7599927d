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
		Short: "Verify configuration, connectivity, permissions and topics",
		Long: `Verify the configuration, the API's host, the brokers, rights, topics, clocks, fencing and the ledger. Each check prints one line: ok, warn
or fail, with a command or sentence that fixes it. The owner is not fenced, no topic is created, no quota is used. It only writes a
transaction marker to the ledger's topic, with a transactional id of its own, which the owner and consumers ignore.

With --call it makes one export call, for the first event stream or the one given by --stream, and shows its columns, whether the
key column and df_external_id are present, whether to_date looks inclusive, and how many calls are left.

Problems recorded in the ledger (a refused token, a halted stream, an open breaker) are warnings, so that an instance with a new token
can start. With --state they are failures.

Exit codes: 0 no check failed, 1 a check failed, 2 wrong configuration.`,
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
	cmd.Flags().BoolVar(&state, "state", false, "fail if the token is refused, a stream is halted or the breaker is open")
	cmd.Flags().StringVar(&stream, "stream", "", "the `STREAM` to export with --call")
	cmd.Flags().BoolVar(&call, "call", false, "make one export call")
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
