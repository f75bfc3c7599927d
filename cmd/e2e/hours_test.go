package e2e

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// shifted is a clock some whole seconds away from this machine's, for the API and the program alike. It is set only while no program runs.
type shifted struct{ by atomic.Int64 }

func (c *shifted) now() time.Time { return time.Now().Add(time.Duration(c.by.Load()) * time.Second) }

func (c *shifted) environ() []string { return []string{fmt.Sprintf("CLOCK=0s=%ds", c.by.Load())} }

// TestQuotaThroughKills: the program is killed at any time while hours pass. The API, which refuses nothing and tells nothing of its quota,
// counts no more calls in any hour than are allowed, and not much fewer.
func TestQuotaThroughKills(t *testing.T) {
	t.Parallel()
	program := withClock(t)
	const allowed, hours = 12, 5
	seed := uint64(number(t, "CRASH_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("CRASH_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	var clock shifted
	b := newBench(t, &exporttest.Server{Clock: clock.now, Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 81, RowsPerDay: 50}})
	b.environ["STREAM_EVENTS_START"], b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["DFINERY_CALLS_PER_HOUR"] = "30", "10m", fmt.Sprint(allowed)
	for clock.by.Load() < hours*3600 {
		p := b.start(program, clock.environ(), "run")
		calls := len(b.api.Calls()) + random.IntN(allowed/2)
		for looks := 0; len(b.api.Calls()) <= calls && looks < 60; { // there may be none left in this hour
			p.alive()
			time.Sleep(5 * time.Millisecond)
			if strings.Contains(p.text(), isOwner) {
				looks++
			}
		}
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
		p.kill()
		clock.by.Add(int64(random.IntN(900)))
	}
	if n := b.api.MostInAnHour(); n > allowed {
		t.Errorf("%d calls within an hour, %d are allowed", n, allowed)
	}
	if n := len(b.api.Calls()); n < hours*allowed/3 {
		t.Errorf("%d calls in %d hours: nothing is shown by that", n, hours)
	}
}

// TestAgainOverMidnight: days are published once more while the source's midnight passes, and the owner is killed right after it.
func TestAgainOverMidnight(t *testing.T) {
	t.Parallel()
	program := withClock(t)
	var clock shifted
	b := newBench(t, &exporttest.Server{
		Clock: clock.now, Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 82, RowsPerDay: 700, Duplicates: 0.1},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 16 << 10, DripEvery: 100 * time.Millisecond}
		},
	})
	b.unbounded()
	b.quiet()
	midnight := schema.DayOf(time.Now(), seoul).End(seoul)
	clock.by.Store(int64(time.Until(midnight)/time.Second) - 12)
	today := schema.DayOf(clock.now(), seoul)
	b.environ["STREAM_EVENTS_START"] = (today - 2).String()
	do := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, args...)
		cmd.Env = append(b.env(), clock.environ()...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	do("run", "--once")
	p := b.start(program, clock.environ(), "run")
	p.await(isOwner)
	time.Sleep(time.Until(midnight.Add(-time.Duration(clock.by.Load())*time.Second)) - time.Second)
	do("backfill", "events", "--from", (today - 1).String(), "--to", today.String(), "--again", "--yes")
	time.Sleep(time.Until(midnight.Add(-time.Duration(clock.by.Load())*time.Second)) + 300*time.Millisecond)
	p.kill()
	p = b.start(program, clock.environ(), "run")
	p.await("command carried out")
	p.kill()
	do("run", "--once")

	want := map[string]map[int]int{}
	for day, times := range map[schema.Day]int{today - 2: 1, today - 1: 2, today: 2, today + 1: 1} {
		want["1234/events/"+day.String()] = map[int]int{times: 700}
	}
	got := b.timesByDay()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records by how often they stand there (-want +got):\n%s\n%s", diff, p.text())
	}
}
