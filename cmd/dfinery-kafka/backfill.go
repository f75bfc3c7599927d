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
	"dfinery-kafka/connector"
	"dfinery-kafka/connector/exportapi"
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
		Short: "Export days of a stream once more",
		Long: `Export days of a stream once more, and publish what is not there yet. With --again every row of them is published once more, with
the same id: for consumers that lost theirs. The owner of the service does it, as the quota allows; polls of today go first.

It prints first what that costs, and on a terminal asks whether to go on, unless --yes is given.`,
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
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "no settled day of %s lacks events that it exports now: nothing to do\n", args[0])
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
	cmd.Flags().BoolVar(&again, "again", false, "publish rows once more that were published already")
	cmd.Flags().BoolVar(&changed, "changed", false, "export the settled days that lack events since the stream's filter was widened")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	cmd.Flags().DurationVar(&patience, "wait", 0, "how long to wait for the owner to carry it out; 0 does not wait")
	return cmd
}

// dayRange is a range of days, both included.
type dayRange struct{ first, last schema.Day }

// ledgerView is what the ledger says for a backfill.
type ledgerView struct {
	changes []schedule.Event
	calls   int // that the API allows the service in an hour, as far as it has said so
}

// readLedger reads it. Where there is none yet, or none that may be read, the configuration is all that is known.
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
	if source, err := connector.NewSource(&exportapi.Client{}, a.Policy(), peek.Source); err == nil { // else run and check say it
		view.calls = min(view.calls, source.Status(time.Now()).Quota.Own)
	}
	return view, nil
}

// lacking are the settled days that lack events which the stream exports now; nil without any.
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

// namedDays are those that the flags name; nil with --changed.
func namedDays(c *config.Config, stream, from, to string, changed bool) ([]dayRange, error) {
	if !changed {
		days, err := checkDays(c, stream, from, to)
		return []dayRange{days}, err
	}
	_, err := streamOf(c, stream)
	if err == nil && from+to != "" {
		err = errors.New("--changed finds the days by itself: leave out --from and --to")
	}
	return nil, err
}

// checkDays reads --from and --to, and refuses days that the API does not export.
func checkDays(c *config.Config, stream, from, to string) (r dayRange, err error) {
	s, err := streamOf(c, stream)
	if err != nil {
		return r, err
	}
	var first, last schema.Day
	if from == "" {
		return r, errors.New("--from is needed: the first day, yyyy-MM-dd")
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
	case s.Export == schema.UserProfile && (first != today || last != today):
		return r, fmt.Errorf("a userprofile stream is a snapshot: only today, %s, can be exported", today)
	case first < today-schema.Reach || last > today:
		return r, fmt.Errorf("%s to %s: the API exports %s to %s", first, last, today-schema.Reach, today)
	}
	return dayRange{first, last}, nil
}

// cost says what a backfill takes of the quota, which is so many calls an hour.
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
	fmt.Fprintf(w, "backfill of %s: %s, %s, about %.1f hours of the quota that polls leave (%.0f calls an hour)\n",
		stream, command.Pluralize(days, "day"), command.Pluralize(days, "call"), math.Max(0.1, float64(days)/free), free)
	if again {
		fmt.Fprintln(w, "--again: every row of these days is published once more, with the same id")
	}
}

// confirm asks a person at a terminal; a script, and --yes, have decided already.
func confirm(cmd *cobra.Command, yes bool) error {
	in := cmd.InOrStdin()
	if yes || !terminal.Is(in) {
		return nil
	}
	fmt.Fprint(cmd.OutOrStdout(), "carry it out? [y/N] ")
	answer, err := bufio.NewReader(in).ReadString('\n')
	if err != nil || !strings.HasPrefix(strings.ToLower(strings.TrimSpace(answer)), "y") {
		return errors.New("nothing was done")
	}
	return nil
}
