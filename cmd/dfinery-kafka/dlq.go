package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

func dlqCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dlq",
		Short: "List, show and replay dead letters",
		Long: `List, show and replay the dead letters of this service: failed exports, and rows that could not be published.

A dead letter is named PARTITION/OFFSET, its place in the dead-letter topic.`,
		Example: `  dfinery-kafka dlq list --since 24h
  dfinery-kafka dlq show 3/17
  dfinery-kafka dlq replay --kind row --code too_large`,
		Args:                       unknownCommand,
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(dlqListCommand(), dlqShowCommand(), dlqReplayCommand())
	return cmd
}

func dlqListCommand() *cobra.Command {
	var f filter
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, oldest first",
		Example: `  dfinery-kafka dlq list --since 24h
  dfinery-kafka dlq list --kind row --code too_large --json | jq .name`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			match, err := f.matcher()
			if err != nil {
				return &exitError{exitUsage, err}
			}
			c, kafka, err := reach(cmd)
			if err != nil {
				return err
			}
			defer kafka.Close()
			if !asJSON {
				match = briefly(match)
			}
			all, err := letters(cmd.Context(), c, kafka, match)
			if err != nil {
				return err
			}
			return writeLetters(cmd.OutOrStdout(), all, asJSON)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one dead letter a line")
	return cmd
}

func dlqShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show PARTITION/OFFSET",
		Short:   "Show one dead letter in full",
		Example: `  dfinery-kafka dlq show 3/17`,
		Args:    needs("the name of a dead letter, PARTITION/OFFSET as dlq list shows it"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, _, err := place(args[0]); err != nil {
				return &exitError{exitUsage, err}
			}
			c, kafka, err := reach(cmd)
			if err != nil {
				return err
			}
			defer kafka.Close()
			all, err := letters(cmd.Context(), c, kafka, func(l *found) bool { return l.Name == args[0] })
			if err != nil {
				return err
			}
			if len(all) == 0 {
				return fmt.Errorf("topic %s has no dead letter of service %s at %s: see dfinery-kafka dlq list", c.Publish.DeadLetterTopic, c.DFINERY.Service, args[0])
			}
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(&all[0])
		},
	}
}

func dlqReplayCommand() *cobra.Command {
	var f filter
	var yes, planOnly bool
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "replay [PARTITION/OFFSET …]",
		Short: "Put dead letters right: the named ones, or all that match",
		Long: `Put dead letters right: the named ones, or all that match the flags.

The dead letter of an export exports its day again; that of a row reads the row again from its copy and publishes it, if it now can
be and is not there yet. The owner of the service does it; repeating it does no harm. First the plan
is shown, and a terminal is asked whether to go on, unless --yes is given.`,
		Example: `  dfinery-kafka dlq replay 3/17 --yes
  dfinery-kafka dlq replay --kind row --code too_large --plan    # and no more
  dfinery-kafka dlq replay --kind row --code too_large --yes`,
		RunE: func(cmd *cobra.Command, args []string) error {
			match, err := f.matcher()
			for _, name := range args {
				_, _, wrong := place(name)
				err = errors.Join(err, wrong)
			}
			if err != nil {
				return &exitError{exitUsage, err}
			}
			c, kafka, err := reach(cmd)
			if err != nil {
				return err
			}
			defer kafka.Close()
			all, err := letters(cmd.Context(), c, kafka, func(l *found) bool { return match(l) && (len(args) == 0 || slices.Contains(args, l.Name)) })
			if err != nil {
				return err
			}
			if err := plan(cmd, all); err != nil || planOnly {
				return err
			}
			if err := agree(cmd, yes); err != nil {
				return err
			}
			return replay(cmd, c, kafka, all, patience)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&planOnly, "plan", false, "show the plan alone")
	cmd.Flags().DurationVar(&patience, "wait", 10*time.Minute, "how long to wait for the result; 0 does not wait")
	return cmd
}

// lettersPerCommand keeps a command's record well below what Kafka takes.
const lettersPerCommand = 20_000

// plan says what a replay of the letters takes.
func plan(cmd *cobra.Command, all []found) error {
	if len(all) == 0 {
		return errors.New("no dead letter matches: see dfinery-kafka dlq list")
	}
	days, rows := map[string]bool{}, 0
	for _, l := range all {
		if l.Kind == schema.KindRow {
			rows++
		} else {
			days[l.Stream+"/"+l.Day.String()] = true
		}
	}
	fmt.Fprintf(cmd.OutOrStdout(), "plan: %d dead letters: %d rows to be read again, %d days to be exported again (%d calls)\n", len(all), rows, len(days), len(days))
	return nil
}

// replay asks the owner to put the letters right.
func replay(cmd *cobra.Command, c *config.Config, kafka *cluster.Cluster, all []found, patience time.Duration) error {
	byStream := map[string][][2]int64{}
	var streams []string
	for _, l := range all {
		if byStream[l.Stream] == nil {
			streams = append(streams, l.Stream)
		}
		byStream[l.Stream] = append(byStream[l.Stream], [2]int64{l.partition, l.offset})
	}
	books := &ledger.Books{Cluster: kafka, Topic: string(c.Publish.LedgerTopic), Service: string(c.DFINERY.Service)}
	var failed error
	for _, stream := range streams {
		for part := range slices.Chunk(byStream[stream], lettersPerCommand) {
			command := &ledger.Command{ID: commandID(), Service: books.Service, Verb: pipeline.VerbReplay, Stream: stream, Letters: part, Given: time.Now(), By: who()}
			if err := books.Give(cmd.Context(), command); err != nil {
				return err
			}
			failed = errors.Join(failed, await(cmd.Context(), cmd.OutOrStdout(), books, command, patience))
		}
	}
	return failed
}
