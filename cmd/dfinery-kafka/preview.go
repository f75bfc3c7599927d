package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/preview"
	"dfinery-kafka/schema"
)

// maxPreviewed limits the records of a preview, which are held in memory.
const maxPreviewed = 1000

func previewCommand() *cobra.Command {
	var day string
	var rows int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "preview STREAM",
		Short: "Show the records that a day's export would publish, without publishing them",
		Long: `Make one export call and show its first rows as the records that run would publish: topic, partition, key, headers and value. Rows that
could not be published are shown as the dead letters that they would become. A table of the columns shows their types, and the types that fit their cells.

The call counts towards the API's quota. Nothing is written: no topic is created, no schema is registered, and the ledger is not changed. Rows that are
already published are shown like new ones; with MODE=changes as if the topic were empty. Avro and Protobuf values are shown as JSON; --json has
their bytes in base64. The schema id 2147483647 is a placeholder for an id that the registry has yet to assign.

Exit codes: 0 done, 1 the call failed or could not be made, 2 wrong configuration or usage.`,
		Example: `  dfinery-kafka preview events
  dfinery-kafka preview events --day 2026-11-23 --rows 5
  dfinery-kafka preview events --json | jq '.columns[] | select(.rejected > 0)'`,
		Args: needs(aStream), ValidArgsFunction: completeStream,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := loadConfig(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if rows < 1 || rows > maxPreviewed {
				return &exitError{exitUsage, fmt.Errorf("--rows %d: choose 1 to %d", rows, maxPreviewed)}
			}
			at, err := previewDay(c, args[0], day)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			plan, found, err := makePreview(cmd, c, args[0], at, rows)
			if err != nil {
				return err
			}
			show := showPreview
			if asJSON {
				show = showPreviewJSON
			}
			if err := show(cmd.OutOrStdout(), plan, found); err != nil {
				return err
			}
			if found.Failure != nil {
				return found.Failure
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&day, "day", "", "the `DAY` to export, yyyy-MM-dd; default yesterday, or today for a userprofile stream")
	cmd.Flags().IntVar(&rows, "rows", 20, "how many rows to show, 1 to 1000")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// previewDay is the day to preview.
func previewDay(c *config.Config, stream, day string) (schema.Day, error) {
	s, err := streamOf(c, stream)
	if err != nil {
		return 0, err
	}
	today := schema.DayOf(time.Now(), c.DFINERY.Timezone.Location)
	at := today
	switch {
	case day != "":
		if at, err = schema.ParseDay(day); err != nil {
			return 0, fmt.Errorf("--day: %w", err)
		}
	case !s.Export.Snapshot():
		at = today - 1
	}
	switch {
	case s.Export.Snapshot() && at != today:
		return 0, fmt.Errorf("--day %s: a userprofile stream is a snapshot: only today, %s, can be exported", at, today)
	case !at.InReach(today):
		return 0, fmt.Errorf("--day %s: the API exports %s to %s", at, today-schema.Reach, today)
	}
	return at, nil
}

// makePreview prints the cost of the call and makes it.
func makePreview(cmd *cobra.Command, c *config.Config, stream string, day schema.Day, rows int) (*preview.Plan, *preview.Result, error) {
	a, err := reachApp(cmd, c, app.Options{Preview: true})
	if err != nil {
		return nil, nil, err
	}
	defer a.Close()
	plan, source, err := a.Service.Reader().PlanPreview(cmd.Context(), stream, day)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	quota := a.Look(now).Source.Quota
	fmt.Fprintf(cmd.ErrOrStderr(), "preview of %s %s: making one export call; according to the ledger %d of %d calls an hour are left; nothing is written\n",
		stream, day, quota.Remaining, quota.Limit)
	permit, wait := source.Reserve(now, 0)
	if permit == nil {
		until := ""
		if !wait.Until.IsZero() {
			until = " until " + wait.Until.UTC().Format(time.RFC3339)
		}
		return nil, nil, fmt.Errorf("the call was not made: the service waits for %s%s; dfinery-kafka status shows more", wait.For, until)
	}
	found, err := plan.Run(cmd.Context(), permit, rows)
	return plan, found, err
}
