package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"dfinery-kafka/pipeline/deadletter"

	"github.com/spf13/cobra"
)

func dlqCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "dlq",
		Short: "List, show and replay dead letters",
		Long: `List, show and replay the dead letters of this service: failed exports, and rows that could not be published.

A dead letter is identified by PARTITION/OFFSET in the dead-letter topic. Its state is resolved, open, or unknown if the ledger no longer
has the information. The letter of an export is resolved once its day has been exported since; that of a row once the row has been published, or once
a later complete export of its day does not contain it.`,
		Example: `  dfinery-kafka dlq list --since 24h
  dfinery-kafka dlq show 3/17
  dfinery-kafka dlq replay --kind row --code too_large`,
	}, dlqListCommand(), dlqShowCommand(), dlqReplayCommand())
}

func dlqListCommand() *cobra.Command {
	var f filter
	var asJSON, open bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List dead letters, oldest first",
		Example: `  dfinery-kafka dlq list --since 24h
  dfinery-kafka dlq list --open
  dfinery-kafka dlq list --kind row --code too_large --json | jq .name`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return &exitError{exitUsage, err}
			}
			_, a, letters, err := openLetters(cmd, f.from)
			if err != nil {
				return err
			}
			defer a.Close()
			resolving, err := openResolver(cmd, a.Service.Ledger(), letters.Select(cmd.Context(), nil, f.matches))
			if err != nil {
				return err
			}
			each := func(visit visitor) error {
				return letters.OldestFirst(cmd.Context(), f.matches, resolving(func(l *deadletter.Letter) error {
					if open && l.Resolution == deadletter.Resolved {
						return nil
					}
					return visit(l)
				}))
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout()) // one letter per line
				e.SetEscapeHTML(false)
				return each(func(l *deadletter.Letter) error { return e.Encode(l) })
			}
			n, err := listTable(letters, each, cmd.OutOrStdout())
			if err == nil && n == 0 {
				fmt.Fprintln(cmd.ErrOrStderr(), "no dead letter matches")
			}
			return err
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&open, "open", false, "only those that are not resolved")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, one dead letter per line")
	return cmd
}

func dlqShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show PARTITION/OFFSET",
		Short:   "Show one dead letter in full",
		Example: `  dfinery-kafka dlq show 3/17`,
		Args:    needs("a dead letter, PARTITION/OFFSET as shown by dlq list"),
		RunE: func(cmd *cobra.Command, args []string) error {
			offset, err := deadletter.ParseOffset(args[0])
			if err != nil {
				return &exitError{exitUsage, err}
			}
			_, a, letters, err := openLetters(cmd, time.Time{})
			if err != nil {
				return err
			}
			defer a.Close()
			letter, err := letters.At(cmd.Context(), offset)
			if err != nil {
				return err
			}
			resolving, err := openResolver(cmd, a.Service.Ledger(), func(visit visitor) error { return visit(letter) })
			if err != nil {
				return err
			}
			return resolving(func(l *deadletter.Letter) error { return writeJSON(cmd.OutOrStdout(), l) })(letter)
		},
	}
}

// listTable writes a header and one line per letter, and returns the number of letters.
func listTable(l *deadletter.Log, each func(visitor) error, out io.Writer) (n int, err error) {
	names := len("NAME")
	for _, last := range l.Last() {
		names = max(names, len(last.String()))
	}
	table := newLetterTable(out, names)
	if err := table.header(); err != nil {
		return 0, err
	}
	err = each(func(letter *deadletter.Letter) error {
		n++
		return table.letter(letter)
	})
	return n, err
}
