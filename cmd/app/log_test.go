package app_test

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

var update = flag.Bool("update", false, "rewrite the golden log")

// varies is what differs from run to run: waits have jitter, and what follows them another time; instances have names of their own.
var varies = []struct {
	what *regexp.Regexp
	with string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)`), "TIME"},
	{regexp.MustCompile(`(took|instance|producer)=("[^"]+"|\S+)`), "$1=…"},
}

// TestLogOfADay is what a person on call reads about a day on which much goes wrong.
func TestLogOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &exporttest.Server{Data: exporttest.Data{Seed: 5, RowsPerDay: 24}})
		w.config.DFINERY.ConcurrentCalls = 1
		w.config.Streams[0].Start.Back, w.config.Streams[0].Lookback = 1, 1
		w.config.Streams[0].PollInterval, w.config.Streams[0].LookbackInterval = 2*time.Hour, 12*time.Hour
		w.fold = true
		start, cuts := time.Now(), 0
		w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
			switch at := c.At.Sub(start); {
			case at > 3*time.Hour && at < 5*time.Hour: // the database is unwell
				return &exporttest.Fault{Code: schema.UnknownError}
			case at > 9*time.Hour && at < 11*time.Hour: // the token was replaced
				return &exporttest.Fault{Code: schema.UnauthorizedToken}
			case at > 13*time.Hour && cuts < 3: // within the minute in which a repeated line is left out, whatever the jitter
				cuts++
				return &exporttest.Fault{Then: exporttest.Close, AfterRow: 3}
			case at > 18*time.Hour && at < 21*time.Hour:
				return &exporttest.Fault{Rename: map[string]string{"df_app_version": "app_version"}, BadRows: []exporttest.BadRow{{Kind: exporttest.FewerFields, After: 2}}}
			}
			return nil
		}
		w.run(24 * time.Hour)
		got := []byte(w.said())
		for _, v := range varies {
			got = v.what.ReplaceAll(got, []byte(v.with))
		}
		const golden = "testdata/day.log"
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(bytes.TrimSpace(want)), string(bytes.TrimSpace(got))); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}
