package e2e

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/connector/exporttest"
)

// TestKafka_NetworkFaults causes network faults between the program and a real Kafka: no row is
// lost or published twice, and the program does not end.
func TestKafka_NetworkFaults(t *testing.T) {
	k := newSecuredKafka(t)
	tests := map[string]func(*testbed, *proxy){
		"latency": func(b *testbed, p *proxy) {
			p.set(networkConditions{latency: 200 * time.Millisecond})
			b.sleep(10 * time.Second)
		},
		"narrow": func(b *testbed, p *proxy) {
			p.set(networkConditions{bandwidth: 300_000})
			b.sleep(10 * time.Second)
		},
		"resets": func(b *testbed, p *proxy) {
			for range 40 {
				b.sleep(200 * time.Millisecond)
				p.reset()
			}
		},
		"answers are lost": func(b *testbed, p *proxy) { // the broker has written the batches that the program sends again
			for range 10 {
				b.sleep(300 * time.Millisecond)
				p.set(networkConditions{dropAnswers: true})
				b.sleep(300 * time.Millisecond)
				p.reset()
				p.set(networkConditions{})
			}
		},
		"a black hole": func(b *testbed, p *proxy) { // longer than the timeout of a request
			p.set(networkConditions{blackhole: true})
			b.sleep(35 * time.Second)
		},
		"half-open": func(b *testbed, p *proxy) { // late answers belong to requests that have timed out
			p.set(networkConditions{dropAnswers: true})
			b.sleep(35 * time.Second)
			p.set(networkConditions{})
		},
	}
	host, port, err := net.SplitHostPort(k.listeners["PROXIED"])
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	advertised := net.JoinHostPort(host, strconv.Itoa(n+1))
	for name, causeFault := range tests {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, advertised, k.listeners["PROXIED"])
			b := newTestbed(t, &exporttest.Server{
				Limits: exporttest.Limits{PerHour: -1, AtOnce: -1},
				Data:   exporttest.Data{Seed: 81, RowsPerDay: 10_000, Duplicates: 0.02, Late: 0.2, LateFrom: 3},
			})
			b.unlimited()
			b.brokers, b.environ["KAFKA_BROKERS"] = k.listeners["ADMIN"], advertised
			b.pollEvery("200ms")
			run := b.start("run")
			run.await(isOwner)
			causeFault(b, p)
			run.expectAlive()
			p.set(networkConditions{})
			run.awaitMore("export ended", run.count("export ended"))
			run.kill()
			b.finish()
		})
	}
}

// TestKafka_SilentBrokers: commands connect once to each broker, at the same time. If all accept
// connections but never answer, the error names them.
func TestKafka_SilentBrokers(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"status", "dlq list", "dlq show 0/1", "dlq replay --yes", "pause events", "backfill events --from 2026-11-27 --yes"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			one, other := newSilentBroker(t), newSilentBroker(t)
			environ := []string{"DFINERY_SERVICE_ID=1234", "DFINERY_EXPORT_TOKEN=" + canary, "KAFKA_BROKERS=" + one.address + "," + other.address, "STREAM_EVENTS_START=0"}
			args := strings.Fields(strings.Replace(args, "2026-11-27", currentDay().String(), 1))
			_, got := runProgram(t, binary, environ, args...)
			waiting := "no answer yet from Kafka at " + one.address + "," + other.address + " (KAFKA_BROKERS), waiting for up to 10s\n"
			if got.Code != 1 || !strings.HasPrefix(got.Stderr, waiting) {
				t.Errorf("exit %d:\n%s", got.Code, got.Stderr)
			}
			for _, h := range []*silentBroker{one, other} {
				if !strings.Contains(got.Stderr, "kafka broker "+h.address+": ") {
					t.Errorf("%s is not named:\n%s", h.address, got.Stderr)
				}
				if n := h.close(); n != 1 {
					t.Errorf("%d connections, want 1", n)
				}
			}
		})
	}
}

// TestKafka_OneBrokerOfTwo: a command succeeds if one of two brokers never answers.
func TestKafka_OneBrokerOfTwo(t *testing.T) {
	t.Parallel()
	h, alive := newSilentBroker(t), embedded(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "dfinery.ledger")).ListenAddrs()[0]
	environ := []string{"DFINERY_SERVICE_ID=1234", "DFINERY_EXPORT_TOKEN=" + canary, "KAFKA_BROKERS=" + h.address + "," + alive}
	if out, got := runProgram(t, binary, environ, "status"); got != (result{}) || !strings.Contains(out, "never run") {
		t.Errorf("exit %d: %s\n%s", got.Code, got.Stderr, out)
	}
}

// silentBroker accepts connections and never answers.
type silentBroker struct {
	address string
	close   func() (taken int)
}

func newSilentBroker(t *testing.T) *silentBroker {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var taken []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			taken = append(taken, conn)
		}
	}()
	h := &silentBroker{address: l.Addr().String(), close: func() int {
		l.Close()
		<-done
		for _, conn := range taken {
			conn.Close()
		}
		return len(taken)
	}}
	t.Cleanup(func() { h.close() })
	return h
}
