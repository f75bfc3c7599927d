package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"dfinery-kafka/cmd/app"
	"dfinery-kafka/cmd/config"
	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/deadletter"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/schema"
)

// filter selects dead letters by the flags.
type filter struct {
	stream, day, kind, code, since string

	from time.Time // the parsed since; zero: from the first on
}

func (f *filter) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.stream, "stream", "", "only this stream")
	cmd.Flags().StringVar(&f.day, "day", "", "only this day, yyyy-MM-dd")
	cmd.Flags().StringVar(&f.kind, "kind", "", "only this kind: export or row")
	cmd.Flags().StringVar(&f.code, "code", "", "only this error code, for example query_error or field_count")
	cmd.Flags().StringVar(&f.since, "since", "", "only from this time on: RFC 3339, a date, or a duration before now such as 24h")
	completeFlag(cmd, "stream", streamNames)
	completeFlag(cmd, "kind", func() []string { return []string{schema.KindExport, schema.KindRow} })
	completeFlag(cmd, "code", codes)
}

// check validates the flags. It must be called before matches.
func (f *filter) check() (err error) {
	if f.since != "" {
		if f.from, err = parseSince(f.since, time.Now()); err != nil {
			return err
		}
	}
	if f.kind != "" && f.kind != schema.KindExport && f.kind != schema.KindRow {
		return fmt.Errorf("--kind %q is neither export nor row", f.kind)
	}
	if err := knownCode(f.code); err != nil {
		return err
	}
	if f.day != "" {
		if _, err := schema.ParseDay(f.day); err != nil {
			return fmt.Errorf("--day %w", err)
		}
	}
	return nil
}

// parseSince parses a duration before now, a time or a date.
func parseSince(text string, now time.Time) (time.Time, error) {
	if back, err := time.ParseDuration(text); err == nil {
		if back < 0 {
			return time.Time{}, fmt.Errorf("--since %s is in the future: a duration counts back from now, such as 24h", text)
		}
		return now.Add(-back), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, time.Local); err == nil {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("--since %q is none of: a time such as 2026-11-23T10:00:00Z, a date, a duration such as 24h", text)
}

// matches reports whether the letter is selected.
func (f *filter) matches(l *deadletter.Letter) bool {
	return (f.stream == "" || l.Stream == f.stream) && (f.day == "" || l.Day.String() == f.day) && (f.kind == "" || l.Kind == f.kind) &&
		(f.code == "" || string(l.Error.Code) == f.code) && !l.At.Before(f.from)
}

// knownCode refuses a code that no dead letter can have: with a typo the empty list would look
// like good news.
func knownCode(code string) error {
	if status, ok := strings.CutPrefix(code, "http_"); code == "" || ok && len(status) == 3 || slices.Contains(codes(), code) {
		return nil
	}
	if near := schema.Nearest(code, codes(), 3); near != "" {
		return fmt.Errorf("--code %q is no code of a dead letter: did you mean %s?", code, near)
	}
	return fmt.Errorf("--code %q is no code of a dead letter: %s, or one such as http_503", code, strings.Join(codes(), ", "))
}

// wrongPlaces returns an error for each argument that is not PARTITION/OFFSET.
func wrongPlaces(names []string) error {
	var faults []error
	for _, name := range names {
		_, err := deadletter.ParseOffset(name)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// openLetters opens the service, and its dead letters from since on. The caller must close the App.
func openLetters(cmd *cobra.Command, since time.Time) (*config.Config, *app.App, *deadletter.Log, error) {
	c, a, err := openService(cmd)
	if err != nil {
		return nil, nil, nil, err
	}
	letters, err := deadletter.OpenLog(cmd.Context(), a.Service.Cluster, a.Service.DeadLetterTopic, a.Service.ID, since)
	if err != nil {
		a.Close()
		return nil, nil, nil, err
	}
	return c, a, letters, nil
}

// visitor visits one letter, which is valid until it returns.
type visitor = func(*deadletter.Letter) error

// openResolver reads the ledger, which knows which letters are resolved. The returned function
// adds the resolution to the letters that a visitor gets: it is unknown if there is no ledger,
// or if it may not be read.
func openResolver(cmd *cobra.Command, stored *store.Ledger, letters func(visitor) error) (resolving func(visitor) visitor, err error) {
	resolver, err := deadletter.NewResolver(cmd.Context(), stored)
	switch {
	case cluster.Missing(err) || cluster.Forbidden(err):
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: it is not known which dead letters are resolved: %v\n", err)
		resolver, err = nil, nil
	case err == nil && resolver.Knows():
		err = letters(resolver.Expect)
	}
	return func(visit visitor) visitor {
		return func(l *deadletter.Letter) (err error) {
			if l.Resolution, err = resolver.Resolution(cmd.Context(), l); err != nil {
				return err
			}
			return visit(l)
		}
	}, err
}
