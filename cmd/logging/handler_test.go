package logging_test

import (
	"bytes"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/logging"
)

// TestHandler: times of lines and attributes are in UTC, and lines below the level are not written.
func TestHandler(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, test := range []struct {
			text bool
			want string
		}{
			{false, `{"time":"2000-01-01T00:00:00Z","level":"WARN","msg":"breaker opened","next_try":"2000-01-01T00:00:01Z"}` + "\n"},
			{true, `time=2000-01-01T00:00:00.000Z level=WARN msg="breaker opened" next_try=2000-01-01T00:00:01.000Z` + "\n"},
		} {
			var out bytes.Buffer
			log := slog.New(logging.NewHandler(&out, slog.LevelWarn, test.text))
			log.Info("export ended")
			log.Warn("breaker opened", "next_try", time.Now().Add(time.Second).In(time.FixedZone("Asia/Seoul", 9*3600)))
			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Errorf("text %t (-want +got):\n%s", test.text, diff)
			}
		}
	})
}
