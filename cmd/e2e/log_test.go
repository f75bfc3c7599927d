package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestLogFolds: a day that fails again and again is two lines of the log, in either format, while each failure is a dead letter.
func TestLogFolds(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "text"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 57, RowsPerDay: 5},
				Faults: func(exporttest.Call) *exporttest.Fault { return &exporttest.Fault{Code: schema.UnknownError} }})
			b.environ["STREAM_EVENTS_START"], b.environ["BREAKER_FAILURES"], b.environ["LOG_FORMAT"] = "0", "6", format
			_, got := b.run("run", "--once")
			if got.Code != 3 {
				t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
			}
			want := []string{"export 1", "export 5 repeated 3", "export 6"}
			if diff := cmp.Diff(want, failures(t, got.Stderr, format)); diff != "" {
				t.Errorf("lines of failed exports (-want +got):\n%s\n%s", diff, got.Stderr)
			}
			if n := len(b.letters()); n != 6 {
				t.Errorf("%d dead letters, want 6", n)
			}
		})
	}
}

// failures are the log's lines of failed exports: their number, and how many were left out before.
func failures(t *testing.T, text, format string) []string {
	t.Helper()
	var list []string
	for line := range strings.Lines(text) {
		var l struct {
			Msg      string
			Export   int
			Repeated int
		}
		if format == "json" {
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				continue // the error that the program ends with
			}
		} else if strings.Contains(line, `msg="export ended"`) {
			l.Msg = "export ended"
			_, rest, _ := strings.Cut(line, " export=")
			if _, err := fmt.Sscan(rest, &l.Export); err != nil {
				t.Fatal(err)
			}
			if _, rest, ok := strings.Cut(line, " repeated="); ok {
				if _, err := fmt.Sscan(rest, &l.Repeated); err != nil {
					t.Fatal(err)
				}
			}
		}
		if l.Msg != "export ended" {
			continue
		}
		entry := fmt.Sprintf("export %d", l.Export)
		if l.Repeated > 0 {
			entry += fmt.Sprintf(" repeated %d", l.Repeated)
		}
		list = append(list, entry)
	}
	return list
}
