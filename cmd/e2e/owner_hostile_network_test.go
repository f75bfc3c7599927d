package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/schema"
)

// fencing has the requests of a takeover, and those that the fence refuses.
var fencing = []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.EndTxn, kmsg.Produce}

// TestFence_HostileNetwork: two instances take the service over from each other while the network
// delays, drops, repeats and reorders requests and answers: each kind of fault separately, and,
// for the duration NETWORK_FOR, all of them together. No row is lost or published twice.
// NETWORK_SEED repeats the random choices of a run, but not the timing of its processes.
func TestFence_HostileNetwork(t *testing.T) {
	t.Parallel()
	seed := uint64(number(t, "NETWORK_SEED", 1))
	mixed := 2 * time.Second
	if text := os.Getenv("NETWORK_FOR"); text != "" {
		var err error
		if mixed, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("NETWORK_SEED=%d NETWORK_FOR=%s", seed, mixed)
	random := rand.New(rand.NewPCG(seed, 1))
	var kinds []frameFault
	for _, key := range fencing {
		for f := delay; f < faultKinds; f++ {
			kinds = append(kinds, frameFault{key, false, f}, frameFault{key, true, f})
		}
	}
	random.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
	group := 0
	for some := range slices.Chunk(kinds, 8) { // each group has its own service
		group++
		n := uint64(group)
		t.Run(fmt.Sprintf("each kind separately, group %d", n), func(t *testing.T) {
			t.Parallel()
			hostileKinds(t, seed+n, some)
		})
	}
	t.Run("all kinds together", func(t *testing.T) {
		t.Parallel()
		random := rand.New(rand.NewPCG(seed, 1))
		n := newHostileNetwork(t, seed)
		n.injectFaults(func(m frameFault, r *rand.Rand) faultKind {
			if slices.Contains(fencing, m.key) {
				return delay + faultKind(r.IntN(int(faultKinds-delay)))
			}
			return pass
		})
		for end := time.Now().Add(mixed); time.Now().Before(end); {
			n.takeOver(random)
		}
		n.end()
	})
}

// hostileKinds injects one kind of fault after the other, each until it has occurred.
func hostileKinds(t *testing.T, seed uint64, kinds []frameFault) {
	random := rand.New(rand.NewPCG(seed, 1))
	n := newHostileNetwork(t, seed)
	for _, kind := range kinds {
		n.injectFaults(func(m frameFault, _ *rand.Rand) faultKind {
			if m.key == kind.key && m.answer == kind.answer {
				return kind.faultKind
			}
			return pass
		})
		for tries := 0; n.proxy.count(kind) == 0; tries++ {
			if tries == 20 {
				t.Fatalf("the fault did not occur in 20 takeovers: %s", kind)
			}
			n.takeOver(random)
		}
	}
	n.end()
}

// end removes all faults, and checks what was published.
func (n *hostileNetwork) end() {
	n.t.Helper()
	n.proxy.set(nil)
	for _, p := range n.running {
		p.kill()
	}
	n.log()
	n.compareLatest()
}

// hostileNetwork is a service with two instances behind a proxy.
type hostileNetwork struct {
	*testbed
	proxy     *framesProxy
	rows      atomic.Int64 // of each day
	running   []*process   // in the order of their starts
	takeOvers int
	injected  atomic.Int64 // faults since the last takeover
}

func newHostileNetwork(t *testing.T, seed uint64) *hostileNetwork {
	n := &hostileNetwork{proxy: newFramesProxy(t, seed)}
	n.rows.Store(50)
	n.testbed = newTestbed(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1, AtOnce: -1},
		Data:   exporttest.Data{Seed: seed, RowsOn: func(schema.Day) int { return int(n.rows.Load()) }, Duplicates: 0.05},
	})
	n.unlimited()
	var behind []string
	for broker := range strings.SplitSeq(n.brokers, ",") {
		behind = append(behind, n.proxy.address(broker))
	}
	n.set("KAFKA_BROKERS", strings.Join(behind, ","), "FENCE_RENEWAL", "500ms")
	n.pollEvery("300ms")
	return n
}

// compareLatest runs the program until no work is left, and compares the topic with the latest
// export of each day, which has the rows of all earlier ones.
func (n *hostileNetwork) compareLatest() {
	n.t.Helper()
	for tries := 0; ; tries++ {
		_, got := n.run("run", "--once")
		expectNoLoss(n.t, got.Stderr)
		if got.Code == 0 {
			break
		}
		if tries == 20 {
			n.t.Fatalf("exit %d:\n%s", got.Code, got.Stderr)
		}
	}
	latest := map[schema.Day]exporttest.Call{}
	for _, call := range n.api.Calls() {
		if call.Status == 200 && call.Whole {
			latest[call.Query.From] = call
		}
	}
	var want []row
	for _, call := range latest {
		want = append(want, tableRows(n.api.Expected(call))...)
	}
	compareRows(n.t, want, n.published("events"))
	n.checkLedger()
}

// injectFaults injects the faults that choose returns into one in twenty Produce requests and half
// of the others, but at most maxFaults in a takeover: late requests fence the next takeover, and
// with too many no takeover would succeed.
func (n *hostileNetwork) injectFaults(choose func(frameFault, *rand.Rand) faultKind) {
	n.proxy.set(func(m frameFault, r *rand.Rand) faultKind {
		share := 0.5
		if m.key == kmsg.Produce {
			share = 0.05
		}
		f := choose(m, r)
		if f == pass || r.Float64() >= share || n.injected.Add(1) > maxFaults {
			return pass
		}
		return f
	})
}

const maxFaults = 8

// takeOver starts another instance and waits until it, or the older one, takes over. The older
// one keeps running, or is stopped with SIGSTOP meanwhile; its requests may still be delayed.
func (n *hostileNetwork) takeOver(random *rand.Rand) {
	n.t.Helper()
	n.takeOvers++
	n.injected.Store(0)
	n.rows.Add(20)
	for len(n.running) > 1 {
		n.running[0].kill()
		n.running = n.running[1:]
	}
	var asleep *process
	if len(n.running) > 0 && random.IntN(2) == 0 {
		asleep = n.running[0]
		asleep.signal(syscall.SIGSTOP)
	}
	owners := n.owners()
	n.running = append(n.running, n.start("run"))
	// A late request may fence the newest instance; then the older one may be the first to
	// detect that there is no owner.
	n.await("a takeover", func() bool { return n.owners() > owners })
	n.sleep(time.Duration(random.IntN(200)) * time.Millisecond)
	if asleep != nil {
		asleep.signal(syscall.SIGCONT)
	}
	n.sleep(time.Duration(random.IntN(200)) * time.Millisecond)
	n.owners()
}

// owners counts the takeovers of the running instances.
func (n *hostileNetwork) owners() (times int) {
	for _, p := range n.running {
		p.expectAlive()
		times += p.count(isOwner)
	}
	return times
}

// log logs how often each fault was injected.
func (n *hostileNetwork) log() {
	n.t.Logf("%d takeovers", n.takeOvers)
	n.proxy.mu.Lock()
	defer n.proxy.mu.Unlock()
	for m, times := range n.proxy.counts {
		n.t.Logf("%4d × %s", times, m)
	}
}
