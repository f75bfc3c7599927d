package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
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
	}
	cmd.AddCommand(dlqListCommand(), dlqShowCommand(), dlqReplayCommand())
	return cmd
}

// found is a dead letter with its place.
type found struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"` // when Kafka took it
	schema.DeadLetter

	partition, offset int64
}

// filter says which dead letters are meant.
type filter struct {
	stream, day, kind, code, since string
}

func (f *filter) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.stream, "stream", "", "only of this stream")
	cmd.Flags().StringVar(&f.day, "day", "", "only of this day, yyyy-MM-dd")
	cmd.Flags().StringVar(&f.kind, "kind", "", "only of this kind: export or row")
	cmd.Flags().StringVar(&f.code, "code", "", "only with this error code, for example query_error or field_count")
	cmd.Flags().StringVar(&f.since, "since", "", "only from this time on: RFC 3339, a date, or a duration back from now such as 24h")
}

// matcher checks the flags.
func (f *filter) matcher() (func(*found) bool, error) {
	var since time.Time
	if f.since != "" {
		back, err := time.ParseDuration(f.since)
		since = time.Now().Add(-back)
		if err != nil {
			if since, err = time.Parse(time.RFC3339, f.since); err != nil {
				since, err = time.ParseInLocation("2006-01-02", f.since, time.Local)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("--since %q is none of: a time such as 2026-11-23T10:00:00Z, a date, a duration such as 24h", f.since)
		}
	}
	if f.kind != "" && f.kind != schema.KindExport && f.kind != schema.KindRow {
		return nil, fmt.Errorf("--kind %q is neither export nor row", f.kind)
	}
	if f.day != "" {
		if _, err := schema.ParseDay(f.day); err != nil {
			return nil, fmt.Errorf("--day %w", err)
		}
	}
	return func(l *found) bool {
		return (f.stream == "" || l.Stream == f.stream) && (f.day == "" || l.Day.String() == f.day) && (f.kind == "" || l.Kind == f.kind) &&
			(f.code == "" || string(l.Error.Code) == f.code) && !l.At.Before(since)
	}, nil
}

// letters reads the dead letters of the service from the whole topic, in the order of time.
func letters(ctx context.Context, c *config.Config, kafka *cluster.Cluster, match func(*found) bool) ([]found, error) {
	topic := string(c.Publish.DeadLetterTopic)
	topics, err := kafka.Topics(ctx, topic)
	if err == nil {
		err = topics[0].Err
	}
	if err != nil {
		return nil, fmt.Errorf("read the dead letters in topic %s: %w", topic, err)
	}
	var all []found
	for _, p := range topics[0].Partitions {
		at := cluster.TopicPartition{Topic: topic, Partition: p.ID}
		logs, err := kafka.Offsets(ctx, at)
		if err == nil {
			err = logs[0].Err
		}
		if err == nil {
			err = kafka.Read(ctx, at, logs[0].Start, logs[0].End, cluster.Visitor{Record: func(r *cluster.Record) error {
				l := found{Name: fmt.Sprintf("%d/%d", p.ID, r.Offset), At: r.Time, partition: int64(p.ID), offset: r.Offset}
				if json.Unmarshal(r.Value, &l.DeadLetter) == nil && l.Service == string(c.DFINERY.Service) && match(&l) {
					all = append(all, l)
				}
				return nil
			}})
		}
		if err != nil {
			return nil, fmt.Errorf("read the dead letters in %v: %w", at, err)
		}
	}
	slices.SortStableFunc(all, func(a, b found) int { return a.At.Compare(b.At) })
	return all, nil
}

// reach loads the configuration and opens the cluster, for commands that work beside the connector.
func reach(cmd *cobra.Command) (*config.Config, *cluster.Cluster, error) {
	c, _, err := loadConfig(cmd.ErrOrStderr())
	if err != nil {
		return nil, nil, err
	}
	kafka, err := app.NewCluster(c, nil)
	if err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	return c, kafka, nil
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

func writeLetters(w io.Writer, all []found, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		for i := range all {
			if err := e.Encode(&all[i]); err != nil {
				return err
			}
		}
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tFAILED AT\tSTREAM\tDAY\tKIND\tCODE\tDETAIL")
	for _, l := range all {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.FailedAt.Format(time.RFC3339), l.Stream, l.Day, l.Kind, l.Error.Code, oneLine(l.Error.Detail))
	}
	return table.Flush()
}

// oneLine keeps a table a table.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > 100 {
		text = string(runes[:99]) + "…"
	}
	return text
}

func dlqShowCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "show PARTITION/OFFSET",
		Short:   "Show one dead letter in full",
		Example: `  dfinery-kafka dlq show 3/17`,
		Args:    cobra.ExactArgs(1),
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

// place reads PARTITION/OFFSET.
func place(name string) (partition, offset int64, err error) {
	p, o, ok := strings.Cut(name, "/")
	partition, err = strconv.ParseInt(p, 10, 32)
	offset, err2 := strconv.ParseInt(o, 10, 64)
	if !ok || err != nil || err2 != nil || partition < 0 || offset < 0 {
		return 0, 0, fmt.Errorf("%q is not the name of a dead letter, PARTITION/OFFSET such as 3/17", name)
	}
	return partition, offset, nil
}

func dlqReplayCommand() *cobra.Command {
	var f filter
	var yes bool
	var patience time.Duration
	cmd := &cobra.Command{
		Use:   "replay [PARTITION/OFFSET …]",
		Short: "Put dead letters right: the named ones, or all that match",
		Long: `Put dead letters right: the named ones, or all that match the flags.

The dead letter of an export exports its day again; that of a row reads the row again from its copy and publishes it, if it now can
be and is not there yet. The owner of the service does it; repeating it does no harm. First the plan is shown; --yes carries it out.`,
		Example: `  dfinery-kafka dlq replay 3/17 --yes
  dfinery-kafka dlq replay --kind row --code too_large        # the plan
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
			return replay(cmd, c, kafka, all, yes, patience)
		},
	}
	f.flags(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "carry it out")
	cmd.Flags().DurationVar(&patience, "wait", 10*time.Minute, "how long to wait for the result; 0 does not wait")
	return cmd
}

// lettersPerCommand keeps a command's record well below what Kafka takes.
const lettersPerCommand = 20_000

func replay(cmd *cobra.Command, c *config.Config, kafka *cluster.Cluster, all []found, yes bool, patience time.Duration) error {
	out := cmd.OutOrStdout()
	if len(all) == 0 {
		return errors.New("no dead letter matches: see dfinery-kafka dlq list")
	}
	byStream := map[string][][2]int64{}
	days, rows := map[string]bool{}, 0
	var streams []string
	for _, l := range all {
		if byStream[l.Stream] == nil {
			streams = append(streams, l.Stream)
		}
		byStream[l.Stream] = append(byStream[l.Stream], [2]int64{l.partition, l.offset})
		if l.Kind == schema.KindRow {
			rows++
		} else {
			days[l.Stream+"/"+l.Day.String()] = true
		}
	}
	fmt.Fprintf(out, "plan: %d dead letters: %d rows to be read again, %d days to be exported again (%d calls)\n", len(all), rows, len(days), len(days))
	if !yes {
		fmt.Fprintln(out, "nothing was done: --yes carries it out")
		return nil
	}
	books := &ledger.Books{Cluster: kafka, Topic: string(c.Publish.LedgerTopic), Service: string(c.DFINERY.Service)}
	var failed error
	for _, stream := range streams {
		for part := range slices.Chunk(byStream[stream], lettersPerCommand) {
			command := &ledger.Command{ID: commandID(), Service: books.Service, Verb: pipeline.VerbReplay, Stream: stream, Letters: part, Given: time.Now(), By: who()}
			if err := books.Give(cmd.Context(), command); err != nil {
				return err
			}
			failed = errors.Join(failed, await(cmd.Context(), out, books, command, patience))
		}
	}
	return failed
}
