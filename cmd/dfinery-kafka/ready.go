package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/admin"
)

const readyTimeout = 5 * time.Second

func readyCommand() *cobra.Command {
	var standby bool
	cmd := &cobra.Command{
		Use:   "ready [URL]",
		Short: "Check whether a running instance is ready, for images without curl",
		Long: `Ask the admin server of a running instance, http://HOST:PORT, whether it is ready, and print what is not. Without a URL
it asks the instance on this machine, at ADMIN_ADDR.

Exit codes: 0 ready, 1 not ready or unreachable, 2 wrong configuration.`,
		Example: `  dfinery-kafka ready
  dfinery-kafka ready --standby http://dfinery-kafka:8080`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var at string
			if len(args) == 1 {
				var err error
				if at, err = instance(args[0]); err != nil {
					return &exitError{exitUsage, err}
				}
			} else {
				c, _, err := loadKafka(io.Discard)
				if err != nil {
					return err
				}
				if at, err = admin.LocalURL(string(c.Process.AdminAddr)); err != nil {
					return &exitError{exitUsage, err}
				}
			}
			if err := askReady(cmd.Context(), at, standby); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "ready")
			return err
		},
	}
	cmd.Flags().BoolVar(&standby, "standby", false, "treat a standby as ready")
	return cmd
}

// instance parses the URL of an admin server. HOST:PORT is enough.
func instance(text string) (string, error) {
	whole := strings.Contains(text, "://")
	if !whole {
		text = "http://" + text
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || !whole && u.Port() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is no address of an admin server, such as http://dfinery-kafka:8080", text)
	}
	return strings.TrimSuffix(text, "/"), nil
}

// askReady returns why the instance is not ready or could not be reached.
func askReady(ctx context.Context, at string, standby bool) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	state, err := admin.Ask(ctx, at, standby)
	if err != nil || state.Ready {
		return err
	}
	reasons := []string{"not ready"}
	for _, p := range state.Parts {
		if !p.Ready {
			reasons = append(reasons, p.Name+": "+p.Reason)
		}
	}
	return errors.New(strings.Join(reasons, "\n  "))
}
