package e2e

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"dfinery-kafka/connector/exporttest"
)

// TestNetworkFaults publishes through bad weather between the program and a real Kafka: nothing is lost, nothing twice, and the program
// lives on.
func TestNetworkFaults(t *testing.T) {
	k := newSecureKafka(t)
	tests := map[string]func(*bench, *proxy){
		"latency": func(b *bench, p *proxy) {
			p.set(weather{latency: 200 * time.Millisecond})
			b.pass(b.t.Context(), 10*time.Second)
		},
		"narrow": func(b *bench, p *proxy) {
			p.set(weather{bandwidth: 300_000})
			b.pass(b.t.Context(), 10*time.Second)
		},
		"resets": func(b *bench, p *proxy) {
			for range 40 {
				b.pass(b.t.Context(), 200*time.Millisecond)
				p.reset()
			}
		},
		"answers are lost": func(b *bench, p *proxy) { // the broker has written what is sent again
			for range 10 {
				b.pass(b.t.Context(), 300*time.Millisecond)
				p.set(weather{mute: true})
				b.pass(b.t.Context(), 300*time.Millisecond)
				p.reset()
				p.set(weather{})
			}
		},
		"a black hole": func(b *bench, p *proxy) { // longer than the program waits for one answer
			p.set(weather{hole: true})
			b.pass(b.t.Context(), 35*time.Second)
		},
		"half-open": func(b *bench, p *proxy) { // the answers that come at last are those to requests given up
			p.set(weather{mute: true})
			b.pass(b.t.Context(), 35*time.Second)
			p.set(weather{})
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
	for name, storm := range tests {
		t.Run(name, func(t *testing.T) {
			p := newProxy(t, advertised, k.listeners["PROXIED"])
			b := newBench(t, &exporttest.Server{
				Limits: exporttest.Limits{PerHour: -1, AtOnce: -1},
				Data:   exporttest.Data{Seed: 81, RowsPerDay: 10_000, Duplicates: 0.02, Late: 0.2, LateFrom: 3},
			})
			b.unbounded()
			b.brokers, b.environ["KAFKA_BROKERS"] = k.listeners["ADMIN"], advertised
			b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"], b.environ["STREAM_EVENTS_POLL_INTERVAL"] = "200ms", "200ms"
			run := b.start(binary, nil, "run")
			run.await(`"msg":"owner"`)
			storm(b, p)
			run.alive()
			p.set(weather{})
			run.awaitMore("export ended", strings.Count(run.text(), "export ended"))
			run.kill()
			b.settle()
		})
	}
}
