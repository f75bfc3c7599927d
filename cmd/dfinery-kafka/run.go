package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/logging"
	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline"
)

func runCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the connector until stopped",
		Long: `Export and publish what is due until SIGTERM or SIGINT; then wait for Kafka to acknowledge what was sent, record it in the ledger
and exit, within SHUTDOWN_TIMEOUT. With --once exit when nothing more is due, for a CronJob.

A second instance takes over the service from the first one, which becomes a standby and takes over again when the new owner is silent.

Exit codes: 0 done, 1 failed at run time, 2 wrong configuration, 3 --once ended or was stopped with work left.`,
		Example: `  dfinery-kafka run
  dfinery-kafka run --once; echo $?`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, report, err := loadConfig(io.Discard) // warnings are logged below
			if err != nil {
				return err
			}
			app.LimitGarbage()
			shown := terminal.NewProgress(cmd.ErrOrStderr(), "exported")
			log, flush := newLog(shown, c, terminal.Is(cmd.ErrOrStderr()))
			defer flush()
			for _, warning := range report.Warnings {
				log.Warn("configuration: "+warning.Message, "variable", warning.Variable, "do", "correct it; dfinery-kafka config shows all variables")
			}
			a, err := app.New(c, app.Options{Version: thisBuild().Version, Commit: thisBuild().Commit, Once: once, Log: log, Step: faultPoint()})
			if err != nil {
				return &exitError{exitUsage, err}
			}
			log.Info("starting", startAttrs(c)...)
			ctx, stop := context.WithCancel(cmd.Context())
			var following sync.WaitGroup
			if once {
				following.Go(func() { follow(ctx, shown, a) })
			}
			err = a.Run(cmd.Context())
			stop()
			following.Wait()
			if left, ok := errors.AsType[*pipeline.IncompleteError](err); ok {
				return &exitError{exitLeft, left}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "export what is due, then exit")
	return cmd
}

// startAttrs are the attributes of the first log line.
func startAttrs(c *config.Config) []any {
	var topics []string
	for i := range c.Streams {
		topics = append(topics, string(c.Streams[i].Topic))
	}
	return []any{"version", thisBuild().Version, "service", string(c.DFINERY.Service), "streams", c.StreamNames(), "topics", topics, "brokers", c.Kafka.Brokers}
}

// newLog returns the program's log, for a terminal or not. flush logs how many repetitions were
// dropped last.
func newLog(w io.Writer, c *config.Config, watched bool) (log *slog.Logger, flush func()) {
	text := c.Process.LogFormat == config.Text || c.Process.LogFormat == config.Auto && watched
	dedup := logging.NewDedup(logging.NewHandler(w, c.Process.LogLevel, text), logging.Window)
	return slog.New(dedup), func() { _ = dedup.Flush(context.Background()) } // an error of the log can be reported nowhere
}
