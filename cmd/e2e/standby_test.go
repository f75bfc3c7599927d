package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestOwnerAndStandby kills the owner of two instances again and again, and puts one to sleep in the middle of its work: the other goes
// on each time, and nothing is published twice.
func TestOwnerAndStandby(t *testing.T) {
	t.Parallel()
	b := newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1},
		Data:   exporttest.Data{Seed: 11, RowsPerDay: 4000, Late: 0.3, LateFrom: 4},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 64 << 10, DripEvery: 20 * time.Millisecond}
		},
	})
	b.unbounded()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "100ms", "100ms"
	b.environ["FENCE_RENEWAL"] = "700ms"

	owner := b.start(binary, nil, "run")
	owner.await(`"msg":"owner"`)
	standby := b.start(binary, nil, "run")
	standby.await(`"msg":"owner"`)
	owner.await("stand-by: another instance owns the service")
	owner, standby = standby, owner
	for range 3 {
		time.Sleep(500 * time.Millisecond) // the owner works for a while
		seen := strings.Count(standby.text(), `"msg":"owner"`)
		owner.kill()
		standby.awaitMore(`"msg":"owner"`, seen)
		owner = standby
		standby = b.start(binary, nil, "run")
		standby.await(`"msg":"owner"`) // the newest is the one that is wanted
		owner.await("stand-by: another instance owns the service")
		owner, standby = standby, owner
	}

	time.Sleep(300 * time.Millisecond)
	seen := strings.Count(standby.text(), `"msg":"owner"`)
	if err := owner.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	standby.awaitMore(`"msg":"owner"`, seen)
	time.Sleep(300 * time.Millisecond)
	if err := owner.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	owner.await("stand-by: another instance owns the service")
	time.Sleep(2 * time.Second) // longer than STANDBY_AFTER: it must not take over from an owner that lives
	if strings.Count(owner.text(), `"msg":"owner"`) != 1 {
		t.Errorf("the instance that slept took over from a living owner:\n%s", owner.text())
	}
	for _, p := range []*process{standby, owner} {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		<-p.done
		if code := p.cmd.ProcessState.ExitCode(); code != 0 {
			t.Errorf("exit %d:\n%s", code, p.text())
		}
	}
	b.settle()
	compare(t, b.served(schema.Event), b.published("events"))
}
