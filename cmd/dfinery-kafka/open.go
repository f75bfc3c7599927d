package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
)

// openService loads the configuration and reaches Kafka, for commands that work beside the connector. The App is to be closed.
func openService(cmd *cobra.Command) (*config.Config, *app.App, error) {
	c, _, err := loadKafka(cmd.ErrOrStderr())
	if err != nil {
		return nil, nil, err
	}
	a, err := reachApp(cmd, c, app.Options{Legacy: func() {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s: %s\n", config.LegacyLogin, config.LegacyLoginRemedy)
	}})
	return c, a, err
}

// reachApp is newApp, once Kafka has answered.
func reachApp(cmd *cobra.Command, c *config.Config, o app.Options) (*app.App, error) {
	a, err := newApp(c, o)
	if err != nil {
		return nil, err
	}
	if err := contact(cmd.Context(), cmd.ErrOrStderr(), a.Service.Cluster); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

// newApp wires the service for a command that does not run it: nothing is logged.
func newApp(c *config.Config, o app.Options) (*app.App, error) {
	o.Version, o.Log = thisBuild().Version, slog.New(slog.DiscardHandler)
	a, err := app.New(c, o)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return a, nil
}

// unsaid is how long a broker may take until somebody is told what is waited for: as long as a wait is not felt.
const unsaid = 500 * time.Millisecond

// contact finds out whether Kafka can be reached at all, before anything is asked of it: a firewall that swallows everything would have
// each request wait for its own time limit, without a word.
func contact(ctx context.Context, stderr io.Writer, kafka *cluster.Cluster) error {
	said := time.AfterFunc(unsaid, func() {
		fmt.Fprintf(stderr, "no answer yet from Kafka at %s (KAFKA_BROKERS), waiting for up to %s\n", kafka.Bootstrap(), cluster.Patience)
	})
	defer said.Stop()
	err := kafka.Ping(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // the caller no longer waits for an answer
		return fmt.Errorf("reach Kafka at %s: %v", kafka.Bootstrap(), context.Cause(ctx))
	}
	return fmt.Errorf("reach Kafka:\n  %s\nsee dfinery-kafka check", strings.ReplaceAll(err.Error(), "\n", "\n  "))
}
