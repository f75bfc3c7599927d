package e2e

import (
	"bytes"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/pipeline/ledger"
)

// unsettled is a service with yesterday's rows published in part, their fingerprints in several runs, by owners that were killed: the next
// export of yesterday settles it, and writes its fingerprints anew as one run.
func newPartlyPublished(t *testing.T, brokers string) (*testbed, ledger.DayName) {
	t.Helper()
	yesterday := currentDay() - 1
	var cut atomic.Int64
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 81, RowsPerDay: 1500, Duplicates: 0.1, Late: 0.2, LateFrom: 6},
		Faults: func(c exporttest.Call) *exporttest.Fault {
			if after := cut.Load(); after > 0 && c.Query.From == yesterday {
				return &exporttest.Fault{Then: exporttest.Close, AfterRow: int(after)}
			}
			return nil
		},
	})
	if brokers != "" {
		b.brokers, b.environ["KAFKA_BROKERS"] = brokers, brokers
	}
	b.unlimited()
	b.pollEvery("1h")
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_LOOKBACK"] = yesterday.String(), "0"
	b.environ["KAFKA_COMPRESSION"] = "none" // so that keys are found in requests
	name := ledger.DayName{Stream: "events", Day: yesterday}
	for n := 1; n <= 3; n++ {
		cut.Store(int64(200 * n))
		p := b.start("run")
		p.await(`"code":"cut_body","rows":`) // it is in the ledger
		p.kill()
	}
	cut.Store(0)
	state := b.ledgerState()
	if d := state.Days[name]; d == nil || d.State != ledger.Pending || d.Published == 0 || len(d.Fingerprints) < 2 {
		t.Fatalf("yesterday is %+v, want it pending with fingerprints in several runs", d)
	}
	return b, name
}

// settled checks that the day is settled, has all of its rows, and fingerprints for each in one run, then exports it twice more: only the late
// rows are new.
func (b *testbed) checkSettled(name ledger.DayName) {
	b.t.Helper()
	d := b.checkedDays()[name]
	if d == nil || d.State != ledger.Settled || len(d.Fingerprints) != 1 {
		b.t.Fatalf("the day is %+v, want it settled with its fingerprints in one run", d)
	}
	p := b.start("run")
	p.await(isOwner)
	for range 2 {
		b.command([]string{"1 day exported"}, "backfill", "events", "--from", name.Day.String(), "--to", name.Day.String(), "--yes", "--wait", "1m")
	}
	p.kill()
	expectNoLoss(b.t, p.log())
	b.compareEvents()
	b.checkedDays()
}

// TestCrash_Settling kills the program at each step of the checkpoint that rewrites a settled day's fingerprints.
func TestCrash_Settling(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"called", "flushed", "fingerprints", "days", "checkpointed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b, day := newPartlyPublished(t, "")
			// The first checkpoint is the restore's; then come those of yesterday and today, in any order.
			for n := 1; n <= 3; n++ {
				b.startToCrash(step, n, "run", "--once").wait(time.Minute)
			}
			b.runOnce(0)
			b.checkSettled(day)
		})
	}
}

// TestStop_Settling stops the program in order while Kafka is slow to accept a settled day's fingerprints. Whatever the owner does before
// it handles the signal, all of them are in the ledger in the end.
func TestStop_Settling(t *testing.T) {
	t.Parallel()
	for round := range 6 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			fake := embedded(t, kfake.NumBrokers(1))
			clustertest.RefuseOldEpochs(fake)
			b, day := newPartlyPublished(t, strings.Join(fake.ListenAddrs(), ","))
			key := []byte("1234/events/" + day.Day.String())
			held, gate := make(chan struct{}, 100), make(chan struct{})
			fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
				fake.KeepControl()
				if topic := r.(*kmsg.ProduceRequest).Topics[0]; topic.Topic == b.prefix+"ledger.rows" && bytes.Contains(topic.Partitions[0].Records, key) {
					held <- struct{}{}
					fake.SleepControl(func() { <-gate })
				}
				return nil, nil, false
			})
			b.environ["CHECKPOINT_INTERVAL"] = "1h" // the one that is held is that of the export's end
			p := b.start("run")
			<-held
			time.Sleep(1100 * time.Millisecond) // the loop's tickers are all due
			p.signal(syscall.SIGTERM)
			time.Sleep(300 * time.Millisecond)
			close(gate)
			<-p.done
			expectText(t, p.log(), "stopped, everything is in the ledger")
			b.checkSettled(day)
		})
	}
}
