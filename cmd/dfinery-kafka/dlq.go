package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"dfinery-kafka/pipeline/deadletter"

	"github.com/spf13/cobra"
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
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return &exitError{exitUsage, err}
			}
			_, kafka, letters, err := openLetters(cmd, f.from)
			if err != nil {
				return err
			}
			defer kafka.Close()
			if asJSON {
				return listJSON(cmd.Context(), letters, f.matches, cmd.OutOrStdout())
			}
			n, err := listTable(cmd.Context(), letters, f.matches, cmd.OutOrStdout())
			if err == nil && n == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "no dead letter matches")
			}
			return err
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
			offset, err := deadletter.ParseOffset(args[0])
			if err != nil {
				return &exitError{exitUsage, err}
			}
			_, kafka, letters, err := openLetters(cmd, time.Time{})
			if err != nil {
				return err
			}
			defer kafka.Close()
			letter, err := letters.At(cmd.Context(), offset)
			if err != nil {
				return err
			}
			e := json.NewEncoder(cmd.OutOrStdout())
			e.SetEscapeHTML(false)
			e.SetIndent("", "  ")
			return e.Encode(letter)
		},
	}
}

// listJSON writes a letter a line.
func listJSON(ctx context.Context, l *deadletter.Log, match func(*deadletter.Letter) bool, out io.Writer) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	return l.OldestFirst(ctx, match, func(letter *deadletter.Letter) error { return e.Encode(letter) })
}

// listTable writes a letter a line, under a header, and tells how many there are.
func listTable(ctx context.Context, l *deadletter.Log, match func(*deadletter.Letter) bool, out io.Writer) (n int, err error) {
	names := len("NAME")
	for _, last := range l.Last() {
		names = max(names, len(last.String()))
	}
	table := newLetterTable(out, names)
	if err := table.header(); err != nil {
		return 0, err
	}
	err = l.OldestFirst(ctx, match, func(letter *deadletter.Letter) error {
		n++
		return table.letter(letter)
	})
	return n, err
}
