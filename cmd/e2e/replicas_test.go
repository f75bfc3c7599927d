package e2e

import (
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

const (
	isOwner   = `"msg":"owner"`
	isStandby = "stand-by: another instance owns the service"
	exported  = `"msg":"export ended"`
)

// TestReplicasKilledInTurns has two replicas for REPLICAS_FOR, three seconds if it is not set, one of which is killed with -9 every now and then
// and replaced. Each end of an owner is followed by exports of the other, there are no more owners than there were reasons for one, and every
// row stands once. The longest pause is logged: from a kill to the end of the next export.
func TestReplicasKilledInTurns(t *testing.T) {
	t.Parallel()
	during := 3 * time.Second
	if text := os.Getenv("REPLICAS_FOR"); text != "" {
		var err error
		if during, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	b := newBench(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1, AtOnce: -1}, Data: exporttest.Data{Seed: 12, RowsPerDay: 3000, Late: 0.3, LateFrom: 5}})
	b.unbounded()
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"], b.environ["FENCE_RENEWAL"] = "300ms", "300ms", "5s"

	random := rand.New(rand.NewPCG(1, 2))
	var all []*process
	replica := func() *process {
		p := b.start(binary, nil, "run")
		all = append(all, p)
		p.await(isOwner) // the newest is the one that is wanted
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
		exports, standbys := strings.Count(left.text(), exported), strings.Count(left.text(), isStandby)
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
		owners += strings.Count(p.text(), isOwner)
		reasons += strings.Count(p.text(), "the owner has been silent: taking over") + strings.Count(p.text(), `"msg":"starting over"`)
	}
	if owners > reasons {
		t.Errorf("%d owners, for %d reasons", owners, reasons)
	}
	t.Logf("%d kills, the longest pause was %s with STANDBY_AFTER=%s", kills, longest.Round(10*time.Millisecond), b.environ["STANDBY_AFTER"])
	b.settle()
}
