package e2e

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestSignalTwice: timeout(1) and shells signal a process and then its group, which is no reason to end without a drain.
func TestSignalTwice(t *testing.T) {
	t.Parallel()
	for range 10 {
		b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 73, RowsPerDay: 100}})
		p := b.start(binary, nil, "run")
		p.await(`"code":"ok"`)
		for range 2 {
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond)
		}
		<-p.done
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Fatalf("exit %d:\n%s", code, p.text())
		}
	}
}
