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

// openService loads the configuration and connects to Kafka, for commands that run beside the
// connector. The caller must close the App.
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

// reachApp returns newApp after checking that Kafka answers.
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

// newApp builds the service for a command that does not run it. Nothing is logged.
func newApp(c *config.Config, o app.Options) (*app.App, error) {
	o.Version, o.Log = thisBuild().Version, slog.New(slog.DiscardHandler)
	a, err := app.New(c, o)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return a, nil
}

// silentWait is how long to wait for a broker before the user is told.
const silentWait = 500 * time.Millisecond

// contact checks that Kafka can be reached, before any other request. If a firewall drops all
// packets, each request would otherwise wait for its own timeout without a message.
func contact(ctx context.Context, stderr io.Writer, kafka *cluster.Cluster) error {
	notice := time.AfterFunc(silentWait, func() {
		fmt.Fprintf(stderr, "no answer yet from Kafka at %s (KAFKA_BROKERS), waiting for up to %s\n", kafka.Bootstrap(), cluster.Patience)
	})
	defer notice.Stop()
	err := kafka.Ping(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil: // the caller no longer waits for an answer
		return fmt.Errorf("reach Kafka at %s: %v", kafka.Bootstrap(), context.Cause(ctx))
	}
	return fmt.Errorf("reach Kafka:\n  %s\nsee dfinery-kafka check", strings.ReplaceAll(err.Error(), "\n", "\n  "))
}
