package app_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"dfinery-kafka/cmd/golden"
	"dfinery-kafka/cmd/logging"
	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// Parts that differ between runs: names of files and instances, and the seconds of times that
// depend on the jitter of a backoff.
var differing = []struct {
	what *regexp.Regexp
	by   string
}{
	{regexp.MustCompile(`(2000-01-0[12]T\d\d:\d\d):\d\d(\.\d+)?Z`), "$1"},
	{regexp.MustCompile(`[^" =]*/token`), "/run/secrets/token"},
	{regexp.MustCompile(`(instance"?[:=]"?)[^" ]+`), "${1}connector-0"},
	{regexp.MustCompile(`producer \d+ epoch`), "producer 4000 epoch"},
}

// TestLogOfADay compares the log of a simulated day in both formats with golden files: a day
// that is lost at the source, polls, a new column, a bad row, an outage that opens the
// breaker, a download that breaks off, a token that is refused until its file has another one,
// midnight.
func TestLogOfADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asJSON, asText bytes.Buffer
		json, text := logging.NewDedup(logging.NewHandler(&asJSON, slog.LevelInfo, false), logging.Window), logging.NewDedup(logging.NewHandler(&asText, slog.LevelInfo, true), logging.Window)
		day := newScriptedDay(t)
		day.log = slog.New(slog.NewMultiHandler(json, text))
		day.run(17*time.Hour + 30*time.Minute)
		for name, fold := range map[string]*logging.Dedup{"day.json": json, "day.txt": text} {
			if err := fold.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := map[string]*bytes.Buffer{"day.json": &asJSON, "day.txt": &asText}[name].Bytes()
			for _, d := range differing {
				got = d.what.ReplaceAll(got, []byte(d.by))
			}
			golden.Compare(t, filepath.Join("testdata", "log", name), string(got))
		}
	})
}

// newScriptedDay returns a simulation that begins at 9:00 in Seoul. Its times are relative to that.
func newScriptedDay(t *testing.T) *simulation {
	began := time.Now()
	w := newSimulation(t, &exporttest.Server{
		Data:  exporttest.Data{Seed: 3, RowsPerDay: 240, Columns: 16, Live: true, Header: appears("df_coupon", began.Add(90*time.Minute))},
		Reach: 3,
		// In steps, so that the number of rows does not depend on the jitter.
		Clock: func() time.Time { return time.Now().Truncate(5 * time.Minute) },
	})
	w.config.Streams[0].Start.Back = 4
	w.config.DFINERY.ConcurrentCalls = 1 // so that the lines are in the order of the calls
	w.config.Publish.OwnerHeartbeat = 5 * time.Minute
	token := filepath.Join(t.TempDir(), "token")
	write := func(secret string) { replaceFile(t, token, secret+"\n") }
	write("export-token")
	w.config.DFINERY.Token, w.config.DFINERY.TokenFile = "", token
	time.AfterFunc(8*time.Hour, func() { w.api.SetToken("rotated-token") })
	time.AfterFunc(8*time.Hour+39*time.Minute, func() { write("rotated-token") }) // the next heartbeat notices it
	cut := false
	w.api.Faults = func(c exporttest.Call) *exporttest.Fault {
		switch at := time.Since(began); {
		case at > 3*time.Hour-time.Minute && at < 3*time.Hour+12*time.Minute:
			return &exporttest.Fault{Delay: time.Second, Code: schema.UnknownError}
		case at > 5*time.Hour && !cut:
			cut = true
			return &exporttest.Fault{Delay: time.Second, Then: exporttest.Close, AfterRow: 30, At: 9}
		case at > 6*time.Hour && c.Query.From == schema.DayOf(began, w.config.DFINERY.Timezone.Location):
			return &exporttest.Fault{Delay: 2 * time.Second, BadRows: []exporttest.BadRow{{After: 10, Kind: exporttest.FewerFields}}}
		}
		return &exporttest.Fault{Delay: 1500 * time.Millisecond}
	}
	return w
}

// appears adds an empty column to headers from a time on.
func appears(name string, from time.Time) exporttest.Header {
	return func(_ schema.Day, _ int, columns []string) []string {
		if time.Now().Before(from) {
			return columns
		}
		return append(columns, name)
	}
}

// replaceFile writes a file atomically: readers get the former or the new text.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	err := os.WriteFile(path+".new", []byte(text), 0o600)
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		t.Error(err)
	}
}
