package logging_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/cmd/logging"
)

// plain writes lines without their times.
func plain(out *bytes.Buffer) slog.Handler {
	return slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey && len(groups) == 0 {
			return slog.Attr{}
		}
		return a
	}})
}

func TestDedup(t *testing.T) {
	t.Parallel()
	every := func(n int, d time.Duration, say func(i int)) {
		for i := range n {
			say(i)
			time.Sleep(d)
		}
	}
	for _, test := range []struct {
		name string
		do   func(log *slog.Logger)
		want []string
	}{
		{"lines below warn are forwarded", func(log *slog.Logger) { every(3, time.Second, func(int) { log.Info("export ended") }) },
			[]string{"level=INFO msg=\"export ended\"", "level=INFO msg=\"export ended\"", "level=INFO msg=\"export ended\""}},
		{"one warning", func(log *slog.Logger) { log.Warn("starting over", "error", errors.New("no broker")) },
			[]string{`level=WARN msg="starting over" error="no broker"`}},
		{"a warning that is repeated", func(log *slog.Logger) {
			every(30, 10*time.Second, func(i int) { log.Warn("starting over", "error", errors.New("no broker"), "attempt", i) })
		}, []string{
			`level=WARN msg="starting over" error="no broker" attempt=0`,
			`level=WARN msg="starting over" error="no broker" attempt=6 repeated=5`,
			`level=WARN msg="starting over" error="no broker" attempt=12 repeated=5`,
			`level=WARN msg="starting over" error="no broker" attempt=18 repeated=5`,
			`level=WARN msg="starting over" error="no broker" attempt=24 repeated=5`,
			`level=WARN msg="starting over" error="no broker" attempt=29 repeated=4`,
		}},
		{"the count of an ended warning comes before the next line", func(log *slog.Logger) {
			every(4, time.Second, func(i int) { log.Error("breaker open", "n", i) })
			time.Sleep(time.Minute)
			log.Info("breaker closed")
		}, []string{"level=ERROR msg=\"breaker open\" n=0", "level=ERROR msg=\"breaker open\" n=3 repeated=2", "level=INFO msg=\"breaker closed\""}},
		{"a recovery comes after the failure", func(log *slog.Logger) {
			every(4, time.Second, func(i int) { log.Error("breaker open", "n", i) })
			log.Info("breaker closed")
			every(3, time.Second, func(i int) { log.Error("breaker open", "n", i) })
		}, []string{
			"level=ERROR msg=\"breaker open\" n=0", "level=ERROR msg=\"breaker open\" n=3 repeated=2", "level=INFO msg=\"breaker closed\"",
			"level=ERROR msg=\"breaker open\" n=2 repeated=2",
		}},
		{"lines are in the order of their times, warnings too", func(log *slog.Logger) {
			every(3, time.Second, func(i int) {
				log.Warn("late", "n", i)
				log.Warn("starting over", "n", i)
			})
			log.Error("stream halted")
			every(2, 40*time.Second, func(i int) { log.Warn("late", "n", i+3) })
		}, []string{
			"level=WARN msg=late n=0", "level=WARN msg=\"starting over\" n=0",
			"level=WARN msg=late n=2 repeated=1", "level=WARN msg=\"starting over\" n=2 repeated=1", "level=ERROR msg=\"stream halted\"",
			"level=WARN msg=late n=4 repeated=1",
		}},
		{"a single repetition is forwarded as it is", func(log *slog.Logger) { every(2, time.Second, func(i int) { log.Warn("late", "n", i) }) },
			[]string{"level=WARN msg=late n=0", "level=WARN msg=late n=1"}},
		{"times, durations and numbers do not distinguish lines", func(log *slog.Logger) {
			every(3, time.Second, func(i int) {
				log.Warn("export ended", "at", time.Now(), "took", time.Duration(i).String(), "wait", time.Duration(i), "share", float64(i), "n", uint64(i))
			})
		}, []string{
			`level=WARN msg="export ended" at=2000-01-01T00:00:00.000Z took=0s wait=0s share=0 n=0`,
			`level=WARN msg="export ended" at=2000-01-01T00:00:02.000Z took=2ns wait=2ns share=2 n=2 repeated=1`,
		}},
		{"this machine's ports do not distinguish lines", func(log *slog.Logger) {
			every(3, time.Second, func(i int) {
				log.Warn("starting over", "error", fmt.Errorf("read tcp 10.0.0.1:%d->10.0.0.2:9092: i/o timeout", 40000+i))
			})
			log.Warn("starting over", "error", "read tcp 10.0.0.1:40000->10.0.0.2:9093: i/o timeout")
		}, []string{
			`level=WARN msg="starting over" error="read tcp 10.0.0.1:40000->10.0.0.2:9092: i/o timeout"`,
			`level=WARN msg="starting over" error="read tcp 10.0.0.1:40002->10.0.0.2:9092: i/o timeout" repeated=1`,
			`level=WARN msg="starting over" error="read tcp 10.0.0.1:40000->10.0.0.2:9093: i/o timeout"`,
		}},
		{"streams, codes, levels and groups distinguish lines", func(log *slog.Logger) {
			log.Warn("x", "stream", "a")
			log.Warn("x", "stream", "b")
			log.With("stream", "c").Warn("x")
			log.WithGroup("stream").Warn("x", "stream", "a")
			log.Error("x", "stream", "a")
			log.Warn("x", "stream", "a", "code", "timeout")
			log.Warn("x", slog.Group("stream", "a", true))
			log.Warn("x", slog.Group("stream", "a", false))
		}, []string{
			"level=WARN msg=x stream=a", "level=WARN msg=x stream=b", "level=WARN msg=x stream=c", "level=WARN msg=x stream.stream=a", "level=ERROR msg=x stream=a",
			"level=WARN msg=x stream=a code=timeout", "level=WARN msg=x stream.a=true", "level=WARN msg=x stream.a=false",
		}},
		{"attributes of With are kept", func(log *slog.Logger) {
			log = log.With("service", "1234")
			every(3, time.Second, func(i int) { log.Warn("x", "i", i) })
		}, []string{"level=WARN msg=x service=1234 i=0", "level=WARN msg=x service=1234 i=2 repeated=1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				dedup := logging.NewDedup(plain(&out), time.Minute)
				test.do(slog.New(dedup))
				if err := dedup.Flush(t.Context()); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(test.want, strings.Split(strings.TrimSpace(out.String()), "\n")); diff != "" {
					t.Errorf("lines (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// TestDedup_ManyWarnings: with more different warnings than are remembered, all are forwarded.
func TestDedup_ManyWarnings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(logging.NewDedup(plain(&out), time.Minute))
		var want strings.Builder
		for i := range 5000 {
			log.Warn("x", "name", fmt.Sprintf("n%d", i))
			fmt.Fprintf(&want, "level=WARN msg=x name=n%d\n", i)
		}
		if diff := cmp.Diff(want.String(), out.String()); diff != "" {
			t.Errorf("lines (-want +got):\n%s", diff)
		}
	})
}

func TestDedup_Concurrent(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	dedup := logging.NewDedup(plain(&out), time.Hour)
	log := slog.New(dedup)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				log.Warn("x")
			}
		})
	}
	all.Wait()
	if err := dedup.Flush(context.Background()); err != nil {
		t.Error(err)
	}
	if want := "level=WARN msg=x\nlevel=WARN msg=x repeated=3998\n"; out.String() != want {
		t.Errorf("lines: %q, want %q", out.String(), want)
	}
}
