package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/command"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

func backfillCommand() *cobra.Command {
	var from, to string
	var again, changed, yes bool
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "backfill STREAM --from DAY [--to DAY] | --changed",
		Short: "Export days of a stream again",
		Long: `Export days of a stream again and publish rows that are missing in Kafka. With --again every row of these days is published again with
the same id, for consumers that lost their data. The service's owner carries it out within the quota; polls of today take precedence.

The command first prints a cost estimate and, on a terminal, asks for confirmation unless --yes is given.`,
		Example: `  dfinery-kafka backfill events --from 2026-11-01 --to 2026-11-07
  dfinery-kafka backfill events --changed
  dfinery-kafka backfill events --from 2026-11-23 --again --yes --wait 1h`,
		Args: needs(aStream), ValidArgsFunction: completeStream,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := loadKafka(io.Discard)
			if err != nil {
				return err
			}
			days, err := namedDays(c, args[0], from, to, changed)
			if err != nil {
				return &exitError{exitUsage, err}
			}
			known, err := readLedger(cmd, c)
			if err != nil {
				return err
			}
			if changed {
				if days = known.lacking(args[0]); days == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "no settled day of %s lacks events that the stream exports now: nothing to do\n", args[0])
					return err
				}
			}
			cost(cmd.OutOrStdout(), c, args[0], days, again, known.calls)
			if err := confirm(cmd, yes); err != nil {
				return err
			}
			for _, r := range days {
				fill := func(c *ledger.Command) { c.Verb, c.From, c.To, c.Again = command.VerbBackfill, r.first, r.last, again }
				if err := submit(cmd, args[0], patience, fill); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the first day, yyyy-MM-dd")
	cmd.Flags().StringVar(&to, "to", "", "the last day; without it only the day of --from")
	cmd.Flags().BoolVar(&again, "again", false, "publish all rows again, also those already published")
	cmd.Flags().BoolVar(&changed, "changed", false, "export the settled days that lack events since the stream's filter was extended")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().DurationVar(&patience, "wait", 0, "how long to wait for the result; 0 does not wait")
	return cmd
}

// dayRange is an inclusive range of days.
type dayRange struct{ first, last schema.Day }

// ledgerView is the part of the ledger that a backfill needs.
type ledgerView struct {
	changes []schedule.Event
	calls   int // allowed by the API in an hour, as far as known
}

// readLedger reads it. If there is no ledger yet, or it may not be read, only the configuration
// is used.
func readLedger(cmd *cobra.Command, c *config.Config) (*ledgerView, error) {
	a, err := reachApp(cmd, c, app.Options{})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	view := &ledgerView{calls: c.DFINERY.CallsPerHour}
	peek, err := a.Service.Reader().Snapshot(cmd.Context())
	if cluster.Missing(err) || cluster.Forbidden(err) {
		return view, nil
	}
	if err != nil {
		return nil, err
	}
	view.changes = peek.Changes
	if source, _, err := a.Source(peek.Source, peek.LineEnds); err == nil { // else run and check say it
		view.calls = min(view.calls, source.Status(time.Now()).Quota.Own)
	}
	return view, nil
}

// lacking returns the settled days that lack events which the stream exports now; nil if there
// are none.
func (v *ledgerView) lacking(stream string) []dayRange {
	var ranges []dayRange
	for _, e := range v.changes {
		if e.Kind != schedule.DaysLack || e.Stream != stream {
			continue
		}
		for _, day := range e.Days {
			if n := len(ranges); n > 0 && ranges[n-1].last == day-1 {
				ranges[n-1].last = day
			} else {
				ranges = append(ranges, dayRange{day, day})
			}
		}
	}
	return ranges
}

// namedDays returns the days given by the flags; nil with --changed.
func namedDays(c *config.Config, stream, from, to string, changed bool) ([]dayRange, error) {
	if !changed {
		days, err := checkDays(c, stream, from, to)
		return []dayRange{days}, err
	}
	_, err := streamOf(c, stream)
	if err == nil && from+to != "" {
		err = errors.New("--changed selects the days: omit --from and --to")
	}
	return nil, err
}

// checkDays parses --from and --to, and refuses days that the API does not export.
func checkDays(c *config.Config, stream, from, to string) (r dayRange, err error) {
	s, err := streamOf(c, stream)
	if err != nil {
		return r, err
	}
	var first, last schema.Day
	if from == "" {
		return r, errors.New("--from is required: the first day, yyyy-MM-dd")
	}
	if first, err = schema.ParseDay(from); err != nil {
		return r, fmt.Errorf("--from: %w", err)
	}
	if last = first; to != "" {
		if last, err = schema.ParseDay(to); err != nil {
			return r, fmt.Errorf("--to: %w", err)
		}
	}
	today := schema.DayOf(time.Now(), c.DFINERY.Timezone.Location)
	switch {
	case last < first:
		return r, fmt.Errorf("--to %s is before --from %s", last, first)
	case s.Export.Snapshot() && (first != today || last != today):
		return r, fmt.Errorf("a %s stream is a snapshot: only today, %s, can be exported", s.Export, today)
	case !first.InReach(today) || !last.InReach(today):
		return r, fmt.Errorf("%s to %s: the API exports %s to %s", first, last, today-schema.Reach, today)
	}
	return dayRange{first, last}, nil
}

// cost prints how much of the quota, in calls an hour, a backfill needs.
func cost(w io.Writer, c *config.Config, stream string, ranges []dayRange, again bool, calls int) {
	days := 0
	for _, r := range ranges {
		days += int(r.last-r.first) + 1
	}
	polls := 0.0
	for i := range c.Streams {
		polls += c.Streams[i].CallsPerHour()
	}
	free := max(1, float64(calls)-polls)
	fmt.Fprintf(w, "backfill of %s: %s, %s, about %.1f hours at the quota left by polls (%.0f calls an hour)\n",
		stream, schema.Pluralize(days, "day"), schema.Pluralize(days, "call"), math.Max(0.1, float64(days)/free), free)
	if again {
		fmt.Fprintln(w, "--again: every row of these days is published again, with the same id")
	}
}

// confirm asks for confirmation on a terminal, unless --yes is given. Scripts are not asked.
func confirm(cmd *cobra.Command, yes bool) error {
	in := cmd.InOrStdin()
	if yes || !terminal.Is(in) {
		return nil
	}
	fmt.Fprint(cmd.OutOrStdout(), "continue? [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return errors.New("nothing was done")
	}
	return nil
}
