package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/cmd/terminal"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/schema"
)

// overview is what status shows, and prints as JSON.
type overview struct {
	Service  string                  `json:"service_id"`
	At       time.Time               `json:"at"`
	Owner    *ledger.Owner           `json:"owner"`
	Alive    bool                    `json:"alive"`
	Breaker  breakerView             `json:"breaker"`
	Quota    quotaView               `json:"quota"`
	Streams  []pipeline.StreamStatus `json:"streams"`
	Newest   map[string]time.Time    `json:"newest"`
	Commands []*ledger.Command       `json:"commands"`
	Notes    []string                `json:"notes,omitempty"` // what an operator should decide

	zone *time.Location // where a day begins
}

type breakerView struct {
	State string     `json:"state"`
	Cause string     `json:"cause,omitempty"`
	Until *time.Time `json:"until"`
}

type quotaView struct {
	Limit     int        `json:"limit"`
	Remaining int        `json:"remaining"`
	Made      int        `json:"made"` // by this service's instances
	ResetsAt  *time.Time `json:"resets_at"`
}

func statusCommand() *cobra.Command {
	var asJSON bool
	var watch, late time.Duration
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how complete and how late each stream is, from any machine",
		Long: `Show the state of the service from the ledger: for each stream a line with one character per day, today at the right; its rows, its lag,
its last failure, the next export and what it waits for. It reads only Kafka and needs no token.

With --fail-if-late it is a check for cron and CI: it fails if a day that ended more than DURATION ago has not been exported since its end, or if a
profile stream has had no snapshot for that long.`,
		Example: `  dfinery-kafka status
  dfinery-kafka status --watch=10s
  dfinery-kafka status --fail-if-late 24h
  dfinery-kafka status --json | jq '.streams[].days[] | select(.state == "gap")'`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case late < 0 || cmd.Flags().Changed("fail-if-late") && late == 0:
				return &exitError{exitUsage, fmt.Errorf("--fail-if-late %s is not more than zero", late)}
			case late > 0 && cmd.Flags().Changed("watch"):
				return &exitError{exitUsage, errors.New("--fail-if-late and --watch are mutually exclusive")}
			}
			if watch < 0 {
				return &exitError{exitUsage, fmt.Errorf("--watch %s is not more than zero", watch)}
			}
			c, report, err := loadKafka(cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			a, err := newApp(c, app.Options{})
			if err != nil {
				return err
			}
			defer a.Close()
			markUnset(a.Service, report)
			return watchStatus(cmd, a, asJSON, watch, late)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().DurationVar(&watch, "watch", 0, "repeat at this interval")
	cmd.Flags().DurationVar(&late, "fail-if-late", 0, "exit with code 1 if a day that ended more than `DURATION` ago is not complete")
	cmd.Flags().Lookup("watch").NoOptDefVal = "2s"
	return cmd
}

// markUnset marks the stream options that no variable sets here, so that the values of the
// streams' owner are read from the ledger.
func markUnset(s *pipeline.Service, report config.Report) {
	set := map[string]bool{}
	for _, v := range report.Variables {
		set[v.Name] = v.From != "" && v.From != "default"
	}
	for i := range s.Streams {
		unset := func(variable string) bool { return !set[schema.StreamVariable(s.Streams[i].Name, variable)] }
		s.Streams[i].Unset = schedule.Unset{Kind: unset("EXPORT"), Topic: unset("TOPIC"), Poll: unset("POLL_INTERVAL"), Lookback: unset("LOOKBACK"),
			LookbackInterval: unset("LOOKBACK_INTERVAL"), Start: unset("START")}
	}
}

// watchStatus shows the status once, or with watch repeatedly. It then continues if Kafka is
// temporarily unreachable.
func watchStatus(cmd *cobra.Command, a *app.App, asJSON bool, watch, late time.Duration) error {
	ctx := cmd.Context()
	reached := false // the last read succeeded
	for {
		var o *overview
		var err error
		if !reached {
			err = contact(ctx, cmd.ErrOrStderr(), a.Service.Cluster)
		}
		if err == nil {
			o, err = readOverview(cmd, a)
		}
		reached = err == nil
		switch {
		case reached:
			err := show(cmd.OutOrStdout(), o, asJSON, watch > 0)
			if err == nil && late > 0 {
				err = o.late(late)
			}
			if err != nil || watch == 0 {
				return err
			}
		case watch == 0:
			return err
		case ctx.Err() == nil:
			fmt.Fprintln(cmd.ErrOrStderr(), time.Now().UTC().Format(time.RFC3339), err)
		}
		select {
		case <-time.After(watch):
		case <-ctx.Done():
			return nil
		}
	}
}

// readOverview reads the ledger, including the state of the source.
func readOverview(cmd *cobra.Command, a *app.App) (*overview, error) {
	peek, err := a.Service.Reader().Snapshot(cmd.Context())
	if err != nil {
		return nil, err
	}
	now := time.Now().UTC()
	o := &overview{zone: peek.Location, Service: a.Service.ID, At: now, Owner: peek.Owner, Alive: peek.Alive, Streams: peek.Streams, Newest: peek.Newest, Commands: peek.Commands}
	if o.Commands == nil {
		o.Commands = []*ledger.Command{}
	}
	source, hint, err := a.Source(peek.Source, peek.LineEnds)
	if err != nil {
		return nil, fmt.Errorf("read the source's state in the ledger: %w", err)
	}
	if hint != "" {
		o.Notes = append(o.Notes, hint)
	}
	st := source.Status(now)
	o.Breaker = breakerView{State: st.Breaker.State, Cause: st.Breaker.Cause, Until: orNil(st.Breaker.Until)}
	o.Quota = quotaView{Limit: st.Quota.Limit, Remaining: st.Quota.Remaining, Made: st.Quota.Made, ResetsAt: orNil(st.Quota.ResetsAt)}
	return o, nil
}

// late returns an error if a stream has been incomplete for longer than limit.
func (o *overview) late(limit time.Duration) error {
	var late []string
	for _, s := range o.Streams {
		switch {
		case s.Snapshot && s.LastSuccess == nil:
			late = append(late, fmt.Sprintf("stream %s has had no snapshot yet", s.Name))
		case s.Snapshot && o.At.Sub(*s.LastSuccess) > limit:
			late = append(late, fmt.Sprintf("stream %s has had no snapshot since %s", s.Name, s.LastSuccess.UTC().Format(time.RFC3339)))
		case s.IncompleteSince != nil && o.At.Sub(*s.IncompleteSince) > limit:
			late = append(late, fmt.Sprintf("stream %s: the day that ended at %s is not complete", s.Name, s.IncompleteSince.UTC().Format(time.RFC3339)))
		}
	}
	if late == nil {
		return nil
	}
	return fmt.Errorf("late by more than %s:\n  %s", limit, strings.Join(late, "\n  "))
}

func orNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func show(w io.Writer, o *overview, asJSON, again bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(o)
	}
	if again && terminal.Is(w) {
		io.WriteString(w, "\x1b[H\x1b[2J")
	}
	return render(w, o, o.zone, terminal.Colours(w))
}
