package e2e

import (
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestCrash_Random kills the program repeatedly, at random times, while answers are cut and
// rows arrive late: each row is published once. CRASH_ROWS, CRASH_DAYS and CRASH_KILLS make it
// larger, CRASH_SEED repeats a run. With KAFKA_TEST_DIR, the directory of a deploy/kafka-up.sh
// of three nodes, brokers are killed as well.
func TestCrash_Random(t *testing.T) {
	t.Parallel()
	rows, days, kills := number(t, "CRASH_ROWS", 15_000), number(t, "CRASH_DAYS", 5), number(t, "CRASH_KILLS", 5)
	seed := crashSeed(t)
	rng := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	dice := func(n int) int {
		mu.Lock()
		defer mu.Unlock()
		return rng.IntN(n)
	}
	perDay := rows / days
	api := &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: seed, RowsPerDay: perDay, Odd: 0.05, Duplicates: 0.02, Late: 0.1, LateFrom: 3},
		Faults: func(exporttest.Call) *exporttest.Fault {
			switch dice(6) {
			case 0:
				return &exporttest.Fault{Then: exporttest.Close, At: int64(dice(perDay * 400))}
			case 1:
				return &exporttest.Fault{Then: exporttest.Reset, At: int64(dice(perDay * 400))}
			}
			return nil
		},
	}
	b := newTestbed(t, api)
	b.unlimited()
	b.set("STREAM_EVENTS_START", strconv.Itoa(days-1))
	b.pollEvery("1s")
	var back sync.WaitGroup // brokers that are down
	defer back.Wait()
	for n := range kills {
		p := b.start("run")
		if os.Getenv("KAFKA_TEST_DIR") != "" && n%7 == 3 {
			broker, down := 1+dice(3), time.Duration(1+dice(8))*time.Second
			b.killBroker(broker)
			back.Add(1)
			time.AfterFunc(down, func() {
				defer back.Done()
				b.startBroker(broker)
			})
		}
		p.await(isOwner)
		select {
		case <-time.After(time.Duration(50+dice(1500)) * time.Millisecond):
		case <-p.done:
			t.Fatalf("the program ended:\n%s", p.log())
		}
		p.kill()
	}
	back.Wait()
	b.finish()
}
