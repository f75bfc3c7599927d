package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/schema"
)

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
	completeFlag(cmd, "stream", streamNames)
	completeFlag(cmd, "kind", func() []string { return []string{schema.KindExport, schema.KindRow} })
	completeFlag(cmd, "code", codes)
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

// briefly has match leave of a letter what a table shows: a day of junk has a million letters, and their copies are gigabytes.
func briefly(match func(*found) bool) func(*found) bool {
	return func(l *found) bool {
		if !match(l) {
			return false
		}
		l.Request, l.Row = schema.LetterRequest{}, nil
		l.Error = schema.LetterError{Code: l.Error.Code, Detail: oneLine(l.Error.Detail)}
		return true
	}
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
func oneLine(text string) string { return shortened(text, 100) }

// shortened is a text on one line, of so many characters at most.
func shortened(text string, most int) string {
	text = strings.Join(strings.Fields(text), " ")
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most-1]) + "…"
	}
	return text
}
