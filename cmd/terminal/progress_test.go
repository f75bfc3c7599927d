package terminal_test

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/terminal"
)

// TestProgressWithoutTerminal: without a terminal progress is printed in lines at long
// intervals, and other output is not changed.
func TestProgressWithoutTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := terminal.NewProgress(&out, "backfill events")
		for i := range 60 {
			time.Sleep(time.Second)
			p.At(i, 60, p.Days(int64(1000*i), int64(500_000*i)))
		}
		if _, err := io.WriteString(p, "a line of the log\n"); err != nil {
			t.Error(err)
		}
		p.End()
		time.Sleep(terminal.LineInterval)
		p.At(1, 2, p.Days(300, 0))
		want := []string{
			"backfill events 29 of 60 days, 29000 rows, 967 rows/s, 14.5 MB", "backfill events 59 of 60 days, 59000 rows, 983 rows/s, 29.5 MB",
			"a line of the log", "backfill events 1 of 2 days, 300 rows, 10 rows/s, 0.0 MB",
		}
		if diff := cmp.Diff(want, strings.Split(strings.TrimSpace(out.String()), "\n")); diff != "" || p.Bar() {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}
