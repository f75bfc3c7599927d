package e2e

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
)

func partlyServed() *exporttest.Server {
	return &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 81, RowsPerDay: 800, Duplicates: 0.1, Late: 0.2, LateFrom: 6},
	}
}

// publishPartly publishes some of yesterday's rows with several owners, which it kills, so that
// their fingerprints are in several ranges. The next export of yesterday settles it and rewrites
// its fingerprints as one range.
func (b *testbed) publishPartly() ledger.DayName {
	b.t.Helper()
	yesterday := currentDay() - 1
	cutAfter := func(rows int) {
		b.change(func(api *exporttest.Server) {
			api.Faults = func(c exporttest.Call) *exporttest.Fault {
				if rows > 0 && c.Query.From == yesterday {
					return &exporttest.Fault{Then: exporttest.Close, AfterRow: rows}
				}
				return nil
			}
		})
	}
	b.unlimited()
	b.pollEvery("1h")
	b.set("STREAM_EVENTS_START", yesterday.String(), "STREAM_EVENTS_LOOKBACK", "0")
	b.set("KAFKA_COMPRESSION", "none") // the tests search for keys in requests
	name := ledger.DayName{Stream: "events", Day: yesterday}
	for n := 1; n <= 3; n++ {
		cutAfter(200 * n)
		p := b.start("run")
		p.await(`"code":"cut_body","rows":`) // logged after the checkpoint
		p.kill()
	}
	cutAfter(0)
	state := b.ledgerState()
	if d := state.Days[name]; d == nil || d.State != ledger.Pending || d.Published == 0 || len(d.Fingerprints) < 2 {
		b.t.Fatalf("yesterday is %+v, want it pending with fingerprints in several ranges", d)
	}
	return name
}

// checkSettled checks that the day is settled and has its fingerprints in one range. Then it
// exports the day twice more: only late rows are published.
func (b *testbed) checkSettled(name ledger.DayName) {
	b.t.Helper()
	d := b.checkedDays()[name]
	if d == nil || d.State != ledger.Settled || len(d.Fingerprints) != 1 {
		b.t.Fatalf("the day is %+v, want it settled with its fingerprints in one range", d)
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

// TestCrash_Settling kills the program at each step of the checkpoint that rewrites a settled
// day's fingerprints: none is lost.
func TestCrash_Settling(t *testing.T) {
	t.Parallel()
	for _, step := range []string{"called", "flushed", "fingerprints", "days", "checkpointed"} {
		t.Run(step, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, partlyServed())
			day := b.publishPartly()
			// The first checkpoint follows recovery; those of yesterday and today follow in
			// any order.
			for n := 1; n <= 3; n++ {
				b.startToCrash(step, n, "run", "--once").wait(time.Minute)
			}
			b.runOnce(0)
			b.checkSettled(day)
		})
	}
}

// TestStop_Settling sends SIGTERM while Kafka is slow to accept a settled day's fingerprints. All
// of them are in the ledger at the end, whatever the owner does before it handles the signal.
func TestStop_Settling(t *testing.T) {
	t.Parallel()
	for round := range 6 {
		t.Run(fmt.Sprint(round), func(t *testing.T) {
			t.Parallel()
			b, fake := newScripted(t, partlyServed())
			day := b.publishPartly()
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
			b.set("CHECKPOINT_INTERVAL", "1h") // the checkpoint that is held is the one after the export
			p := b.start("run")
			<-held
			time.Sleep(1100 * time.Millisecond) // longer than the intervals of all the owner's tickers
			p.signal(syscall.SIGTERM)
			time.Sleep(300 * time.Millisecond)
			close(gate)
			<-p.done
			expectText(t, p.log(), "stopped, everything is in the ledger")
			b.checkSettled(day)
		})
	}
}
