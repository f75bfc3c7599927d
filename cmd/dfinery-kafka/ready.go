package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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
		Short: "Ask a running instance whether it is ready: for images without curl",
		Long: `Ask the admin server of a running instance, http://HOST:PORT, whether it is ready, and print what is not. Without a URL
it is the one on this machine, at ADMIN_ADDR.

Exit codes: 0 ready, 1 not ready or not reached, 2 wrong configuration.`,
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
				if at, err = local(string(c.Process.AdminAddr)); err != nil {
					return &exitError{exitUsage, err}
				}
			}
			at += "/readyz"
			if standby {
				at += "?standby=ok"
			}
			if err := askReady(cmd.Context(), at); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "ready")
			return err
		},
	}
	cmd.Flags().BoolVar(&standby, "standby", false, "count a standby as ready, too")
	return cmd
}

// instance reads the URL of an admin server. HOST:PORT alone will do.
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

// local is where a server that listens on address is reached from its own machine.
func local(address string) (string, error) {
	if address == "" {
		return "", errors.New("ADMIN_ADDR is empty: there is no admin server to ask")
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return "", err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port), nil
}

// askReady returns why the instance is not ready, or what kept it from being asked.
func askReady(ctx context.Context, at string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return err
	}
	// No proxy: the instance is next door.
	client := &http.Client{Transport: &http.Transport{}}
	answer, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("reach the admin server: %w; does an instance run there, with this ADMIN_ADDR?", err)
	}
	defer answer.Body.Close()
	var state struct {
		Ready bool
		Parts []admin.Part
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<10)).Decode(&state); err != nil {
		return fmt.Errorf("%s is no instance of ours: %s", at, answer.Status)
	}
	if state.Ready {
		return nil
	}
	reasons := []string{"not ready"}
	for _, p := range state.Parts {
		if !p.Ready {
			reasons = append(reasons, p.Name+": "+p.Reason)
		}
	}
	return errors.New(strings.Join(reasons, "\n  "))
}
