package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/config"
	"dfinery-kafka/schema"
)

// found is a dead letter with its place.
type found struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"` // when Kafka took it
	schema.DeadLetter

	partition int
	offset    int64
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
		if back < 0 {
			return nil, fmt.Errorf("--since %s is in the future: a duration counts back from now, such as 24h", f.since)
		}
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
	if err := knownCode(f.code); err != nil {
		return nil, err
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

// knownCode refuses a code that no dead letter has: else a slip would look like good news.
func knownCode(code string) error {
	if status, ok := strings.CutPrefix(code, "http_"); code == "" || ok && len(status) == 3 || slices.Contains(codes(), code) {
		return nil
	}
	if near := config.Nearest(code, codes(), 3); near != "" {
		return fmt.Errorf("--code %q is no code of a dead letter: did you mean %s?", code, near)
	}
	return fmt.Errorf("--code %q is no code of a dead letter: %s, or one such as http_503", code, strings.Join(codes(), ", "))
}

// place reads PARTITION/OFFSET.
func place(name string) (partition int, offset int64, err error) {
	p, o, ok := strings.Cut(name, "/")
	n, err := strconv.ParseInt(p, 10, 32)
	offset, err2 := strconv.ParseInt(o, 10, 64)
	if !ok || err != nil || err2 != nil || n < 0 || offset < 0 {
		return 0, 0, fmt.Errorf("%q is not the name of a dead letter, PARTITION/OFFSET such as 3/17", name)
	}
	return int(n), offset, nil
}
