package e2e

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// TestClock_Jumps runs the program with a clock that is wrong or jumps, kills it, and continues
// with the correct clock: every row is published once, and no day counts as lost.
func TestClock_Jumps(t *testing.T) {
	program := programWithClock(t)
	for name, clock := range map[string]string{
		"a day ahead":              "0s=24h",
		"three hours behind":       "0s=-3h",
		"40 days ahead":            "0s=960h",
		"a year behind":            "0s=-8760h",
		"ahead and right again":    "2s=960h,4s=0s",
		"behind and right again":   "2s=-960h,4s=0s",
		"to and fro by an hour":    "1s=1h,2s=-1h,3s=1h,4s=-1h,5s=0s",
		"90 days ahead, then back": "2s=2160h,4s=-2160h",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newTestbed(t, &exporttest.Server{
				Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 71, RowsPerDay: 3000, Late: 0.2, LateFrom: 2},
			})
			b.unlimited()
			b.pollEvery("200ms")
			b.set("FENCE_RENEWAL", "1s")
			b.program = program
			p := b.startWith([]string{"CLOCK=" + clock}, "run")
			p.await(isOwner)
			b.sleep(6 * time.Second)
			p.kill()
			b.program = binary
			b.finish()
			states := b.dayStates()
			today := currentDay()
			for day := today - 2; day <= today; day++ {
				if state := states[day.String()]; state != "open" {
					t.Errorf("%v is %q, but it can still change", day, state)
				}
			}
			if t.Failed() {
				t.Log(p.log())
			}
		})
	}
}

// TestClock_QuotaThroughCrashes kills the program at random times while the simulated clock
// advances by hours. The API refuses no call and reports no quota: the program must not make
// more calls in any hour than are allowed, and not far fewer.
func TestClock_QuotaThroughCrashes(t *testing.T) {
	t.Parallel()
	program := programWithClock(t)
	const allowed, hours = 12, 5
	random := rand.New(rand.NewPCG(crashSeed(t), 2))
	var clock clockOffset
	b := newTestbed(t, &exporttest.Server{Clock: clock.now, Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 81, RowsPerDay: 50}})
	b.set("STREAM_EVENTS_START", "30", "STREAM_EVENTS_POLL_INTERVAL", "10m", "DFINERY_CALLS_PER_HOUR", fmt.Sprint(allowed))
	b.program = program
	for clock.seconds.Load() < hours*3600 {
		p := b.startWith(clock.environ(), "run")
		calls := len(b.api.Calls()) + random.IntN(allowed/2)
		for looks := 0; len(b.api.Calls()) <= calls && looks < 60; { // the quota of this hour may be spent
			p.expectAlive()
			time.Sleep(5 * time.Millisecond)
			if p.count(isOwner) > 0 {
				looks++
			}
		}
		time.Sleep(time.Duration(random.IntN(30)) * time.Millisecond)
		p.kill()
		clock.seconds.Add(int64(random.IntN(900)))
	}
	if n := b.api.MostInAnHour(); n > allowed {
		t.Errorf("%d calls within an hour, %d are allowed", n, allowed)
	}
	if n := len(b.api.Calls()); n < hours*allowed/3 {
		t.Errorf("%d calls in %d hours: too few for the test", n, hours)
	}
}

// TestClock_BackfillOverMidnight runs "backfill --again" over midnight in the source's time zone,
// and kills the owner right after it: each row is published as often as it must be.
func TestClock_BackfillOverMidnight(t *testing.T) {
	t.Parallel()
	program := programWithClock(t)
	var clock clockOffset
	b := newTestbed(t, &exporttest.Server{
		Clock: clock.now, Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 82, RowsPerDay: 700, Duplicates: 0.1},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 16 << 10, DripEvery: 100 * time.Millisecond}
		},
	})
	b.unlimited()
	b.pollEvery("1h")
	midnight := currentDay().End(seoul)
	clock.seconds.Store(int64(time.Until(midnight)/time.Second) - 12)
	today := schema.DayOf(clock.now(), seoul)
	b.environ["STREAM_EVENTS_START"] = (today - 2).String()
	b.program = program
	do := func(args ...string) {
		t.Helper()
		b.startWith(clock.environ(), args...).expectExit(0)
	}
	do("run", "--once")
	p := b.startWith(clock.environ(), "run")
	p.await(isOwner)
	b.sleepUntil(&clock, midnight.Add(-time.Second))
	do("backfill", "events", "--from", (today - 1).String(), "--to", today.String(), "--again", "--yes")
	b.sleepUntil(&clock, midnight.Add(300*time.Millisecond))
	p.kill()
	p = b.startWith(clock.environ(), "run")
	p.await("command carried out")
	p.kill()
	do("run", "--once")

	want := map[string]map[int]int{}
	for day, times := range map[schema.Day]int{today - 2: 1, today - 1: 2, today: 2, today + 1: 1} {
		want["1234/events/"+day.String()] = map[int]int{times: 700}
	}
	got := b.copiesByDay()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records by how often they are in the topic (-want +got):\n%s\n%s", diff, p.log())
	}
}
