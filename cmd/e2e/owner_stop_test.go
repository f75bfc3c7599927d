package e2e

import (
	"errors"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

// TestStop_InDownload sends SIGTERM during downloads: the program exits with 0 when all records
// are acknowledged, and the next run publishes the rest.
func TestStop_InDownload(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 51, RowsPerDay: 4000},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 64 << 10, DripEvery: 30 * time.Millisecond}
		},
	})
	b.unlimited()
	for range 3 {
		p := b.start("run")
		p.await(isOwner)
		time.Sleep(300 * time.Millisecond)
		p.signal(syscall.SIGTERM)
		p.expectExit(0)
		expectText(t, p.log(), "stopped, everything is in the ledger")
	}
	if letters := b.deadLetters(); len(letters) > 0 {
		t.Errorf("dead letters after a stop: %+v", letters)
	}
	b.finish()
}

// TestStop_SecondSignal sends two signals, as timeout(1) and shells do to a process and then to
// its group: the program still ends in order.
func TestStop_SecondSignal(t *testing.T) {
	t.Parallel()
	for range 5 {
		b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 73, RowsPerDay: 100}})
		p := b.start("run")
		p.await(`"code":"ok"`)
		for range 2 {
			if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
			time.Sleep(2 * time.Millisecond)
		}
		p.expectExit(0)
	}
}

// TestStop_KafkaStalls sends SIGTERM while Kafka accepts no records: the program exits within
// SHUTDOWN_TIMEOUT.
func TestStop_KafkaStalls(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 61, RowsPerDay: 8000}})
	b.unlimited()
	b.set("SHUTDOWN_TIMEOUT", "1s", "KAFKA_PARTITIONS", "1")
	stalled, gate := make(chan struct{}, 1000), make(chan struct{})
	defer close(gate)
	fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if r.(*kmsg.ProduceRequest).Topics[0].Topic == b.prefix+"events" {
			stalled <- struct{}{}
			fake.SleepControl(func() { <-gate })
		}
		return nil, nil, false
	})
	p := b.start("run")
	<-stalled
	select {
	case <-p.done:
	case <-time.After(time.Second): // until a checkpoint waits for the rows, and the download for space in the buffer
	}
	p.signal(syscall.SIGTERM)
	p.expectExit(0)
	expectText(t, p.log(), "stopped before everything was in the ledger")
}
