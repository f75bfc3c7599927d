package e2e

import (
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestOwner_StandbyTakesOver runs two instances, kills the owner repeatedly, and stops one with
// SIGSTOP during an export: the other takes over each time, and nothing is published twice.
func TestOwner_StandbyTakesOver(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1},
		Data:   exporttest.Data{Seed: 11, RowsPerDay: 1500, Late: 0.3, LateFrom: 4},
		Faults: func(exporttest.Call) *exporttest.Fault {
			return &exporttest.Fault{Drip: 24 << 10, DripEvery: 20 * time.Millisecond}
		},
	})
	b.unlimited()
	b.pollEvery("300ms")
	b.set("FENCE_RENEWAL", "700ms", "STANDBY_AFTER", "5s") // longer than a takeover on a busy machine

	owner := b.start("run")
	owner.await(isOwner)
	standby := b.start("run")
	standby.await(isOwner)
	owner.await(isStandby)
	owner, standby = standby, owner
	for range 3 {
		time.Sleep(500 * time.Millisecond) // let the owner publish rows
		seen := standby.count(isOwner)
		owner.kill()
		standby.awaitMore(isOwner, seen)
		owner = standby
		standby = b.start("run")
		standby.await(isOwner) // the newest instance takes over at once
		owner.await(isStandby)
		owner, standby = standby, owner
	}

	time.Sleep(300 * time.Millisecond)
	seen := standby.count(isOwner)
	owner.signal(syscall.SIGSTOP)
	standby.awaitMore(isOwner, seen)
	time.Sleep(300 * time.Millisecond)
	owner.signal(syscall.SIGCONT)
	owner.await(isStandby)
	time.Sleep(6 * time.Second) // longer than STANDBY_AFTER: it must not take over from a running owner
	if owner.count(isOwner) != 1 {
		t.Errorf("the instance that was stopped took over from a running owner:\n%s", owner.log())
	}
	for _, p := range []*process{standby, owner} {
		p.signal(syscall.SIGTERM)
		p.expectExit(0)
	}
	b.finish()
}

// TestOwner_ReplicasKilled runs two replicas for the duration REPLICAS_FOR (three seconds), and
// repeatedly kills and replaces one of them. If the owner was killed, the other one takes over.
// There are no other takeovers, and every row is published once. The test logs the longest time
// from a kill to the end of the next export.
func TestOwner_ReplicasKilled(t *testing.T) {
	t.Parallel()
	during := 3 * time.Second
	if text := os.Getenv("REPLICAS_FOR"); text != "" {
		var err error
		if during, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 12, RowsPerDay: 1000, Late: 0.3, LateFrom: 5}})
	b.unlimited()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"], b.environ["FENCE_RENEWAL"] = "300ms", "300ms", "5s"
	b.set("STANDBY_AFTER", "5s") // longer than a takeover on a busy machine

	random := rand.New(rand.NewPCG(1, 2))
	var all []*process
	// replica starts another replica, which takes over at once. If it is slow, the other one
	// takes over from it before it logs that it is the owner.
	replica := func() *process {
		p := b.start("run")
		all = append(all, p)
		p.awaitEither(isOwner, isStandby)
		return p
	}
	other := replica()
	newest := replica()
	other.await(isStandby)
	kills := 0
	var longest time.Duration
	for end := time.Now().Add(during); time.Now().Before(end); kills++ {
		time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
		killed, left := newest, other
		if random.IntN(3) == 0 {
			killed, left = other, newest
		}
		exports, standbys := left.count(exported), left.count(isStandby)
		killed.kill()
		dead := time.Now()
		left.awaitMore(exported, exports)
		longest = max(longest, time.Since(dead))
		other, newest = left, replica()
		other.awaitMore(isStandby, standbys)
	}
	owners, reasons := 0, len(all)
	for _, p := range all {
		p.kill()
		owners += p.count(isOwner)
		reasons += p.count("the owner has been silent: taking over") + p.count("taking the service over again") + p.count("Kafka unreachable, retrying")
	}
	if owners > reasons {
		t.Errorf("%d takeovers, want %d", owners, reasons)
	}
	t.Logf("%d kills, the longest pause was %s with STANDBY_AFTER=%s", kills, longest.Round(10*time.Millisecond), b.environ["STANDBY_AFTER"])
	b.finish()
}
