package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/profiles"
	"dfinery-kafka/schema"
)

func profilesCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "profiles",
		Short: "Show absent profiles, and approve their deletion",
		Long: `Show the absent profiles of a stream with STREAM_X_MODE=changes, and approve more deletes than usual.

A profile is deleted once two complete snapshots lack it. Deletes are withheld if more are absent than STREAM_X_DELETE_MOST allows within 7 days,
or if the last snapshot is not proven to be complete.`,
		Example: "  dfinery-kafka profiles status users --sample 20\n  dfinery-kafka profiles approve users",
	}, approveCommand(), profileStatusCommand())
}

func approveCommand() *cobra.Command {
	var most int
	cmd := verbCommand(command.VerbApprove, "Approve withheld deletes",
		`Approve more deletes than usual: as many as are withheld now, or as many as --most says.

A snapshot is exported immediately. Each profile is still deleted only if two complete snapshots lack it. The approval ends after 7 days, or when no
profile is absent any more. It applies if too many profiles are absent, or if bad rows hide their keys; other reasons must be resolved first.`, func(c *ledger.Command) { c.Most = most })
	cmd.Example = "  dfinery-kafka profiles approve users\n  dfinery-kafka profiles approve users --most 5000"
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		if most < 0 || cmd.Flags().Changed("most") && most == 0 {
			return fmt.Errorf("--most %d is not more than zero", most)
		}
		return nil
	}
	cmd.Flags().IntVar(&most, "most", 0, "how many profiles may be deleted; default as many as are withheld now")
	return cmd
}

func profileStatusCommand() *cobra.Command {
	var sample int
	var asJSON bool
	cmd := &cobra.Command{
		Use: "status STREAM", Short: "Show how many profiles are present, absent and withheld, and why",
		Long: `Show how many profiles the last snapshot of a stream has, how many profiles of the topic are absent from it, how many
deletes are withheld, and why. With --sample some absent keys are listed, for which the whole topic is read. It reads only Kafka and needs no token.`,
		Example: "  dfinery-kafka profiles status users\n  dfinery-kafka profiles status users --sample 20",
		Args:    needs(aStream), ValidArgsFunction: completeStream,
		RunE: func(cmd *cobra.Command, args []string) error {
			if sample < 0 || sample > profiles.MaxSampled {
				return &exitError{exitUsage, fmt.Errorf("--sample %d: choose 0 to %d", sample, profiles.MaxSampled)}
			}
			c, _, err := loadKafka(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if _, err := streamOf(c, args[0]); err != nil {
				return &exitError{exitUsage, err}
			}
			a, err := reachApp(cmd, c, app.Options{})
			if err != nil {
				return err
			}
			defer a.Close()
			return showProfiles(cmd.Context(), cmd.OutOrStdout(), a.Service.Reader(), args[0], sample, asJSON)
		},
	}
	cmd.Flags().IntVar(&sample, "sample", 0, "how many absent keys to list, up to 100")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// showProfiles prints the state of a stream's profiles from the ledger, and some absent keys.
func showProfiles(ctx context.Context, out io.Writer, reader *pipeline.Reader, stream string, sample int, asJSON bool) error {
	now := time.Now()
	status, keys, err := reader.AbsentProfiles(ctx, stream, sample)
	switch {
	case err != nil:
		return err
	case status == nil:
		return fmt.Errorf("the stream %s publishes all rows and deletes none: %s=changes would", stream, schema.StreamVariable(stream, "MODE"))
	}
	if asJSON {
		return writeJSON(out, struct {
			*pipeline.ProfileStatus
			Sample []string `json:"sample,omitempty"`
		}{status, keys})
	}
	fmt.Fprintf(out, "%s: %s\n", stream, profilesLine(now, stream, status))
	for _, key := range keys {
		fmt.Fprintf(out, "  %q\n", key)
	}
	return nil
}

// profilesLine is the state of a stream's profiles as text.
func profilesLine(now time.Time, stream string, p *pipeline.ProfileStatus) string {
	text := fmt.Sprintf("%d present, %d absent", p.Present, p.Absent)
	if p.Withheld > 0 {
		text += fmt.Sprintf(", %d deletes withheld", p.Withheld)
	}
	if p.Why != "" {
		text += fmt.Sprintf(" (%s: %s)", p.Why, profiles.Why(p.Why).Meaning(stream))
	}
	switch {
	case p.LastComplete != nil:
		text += "; last complete snapshot " + ago(now, *p.LastComplete)
	case p.Partitions > 0:
		text += "; no complete snapshot yet"
	}
	if p.Approved != nil {
		text += fmt.Sprintf("; up to %d deletes approved until %s", p.Approved.N, p.Approved.Until.UTC().Format(time.RFC3339))
	}
	if p.Unused > 0 {
		text += fmt.Sprintf("; %d added partitions are not used", p.Unused)
	}
	return text
}
