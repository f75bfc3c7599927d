package e2e

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
)

// TestStopWhileKafkaStalls: SIGTERM ends the program within SHUTDOWN_TIMEOUT though Kafka takes nothing, whatever waits for it.
func TestStopWhileKafkaStalls(t *testing.T) {
	t.Parallel()
	fake := embedded(t, kfake.NumBrokers(1))
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 61, RowsPerDay: 20_000}})
	b.unbounded()
	b.brokers = strings.Join(fake.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"], b.environ["SHUTDOWN_TIMEOUT"], b.environ["KAFKA_PARTITIONS"] = b.brokers, "1s", "1"
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
	p := b.start(binary, nil, "run")
	<-stalled
	select {
	case <-p.done:
	case <-time.After(time.Second): // by now a checkpoint waits for the rows, and the download for room
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(10 * time.Second):
		t.Fatalf("it does not end:\n%s", p.text())
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit %d:\n%s", code, p.text())
	}
	expect(t, p.text(), "stopped before everything was in the ledger")
}
