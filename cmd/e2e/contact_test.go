package e2e

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/schema"
)

// TestBlackHole: brokers that take connections and never answer are tried once each, at the same time, and named.
func TestBlackHole(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"status", "dlq list", "dlq show 0/1", "dlq replay --yes", "pause events", "backfill events --from 2026-11-27 --yes"} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			one, other := newHole(t), newHole(t)
			environ := []string{"DFINERY_SERVICE_ID=1234", "DFINERY_EXPORT_TOKEN=" + canary, "KAFKA_BROKERS=" + one.address + "," + other.address, "STREAM_EVENTS_START=0"}
			args := strings.Fields(strings.Replace(args, "2026-11-27", schema.DayOf(time.Now(), seoul).String(), 1))
			_, got := run(t, environ, args...)
			waiting := "no answer yet from Kafka at " + one.address + "," + other.address + " (KAFKA_BROKERS), waiting for up to 10s\n"
			if got.Code != 1 || !strings.HasPrefix(got.Stderr, waiting) {
				t.Errorf("exit %d:\n%s", got.Code, got.Stderr)
			}
			for _, h := range []*hole{one, other} {
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

// TestOneBrokerOfTwo: a broker that never answers does not keep a command from the cluster that another one leads to.
func TestOneBrokerOfTwo(t *testing.T) {
	t.Parallel()
	h, alive := newHole(t), embedded(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "dfinery.ledger")).ListenAddrs()[0]
	environ := []string{"DFINERY_SERVICE_ID=1234", "DFINERY_EXPORT_TOKEN=" + canary, "KAFKA_BROKERS=" + h.address + "," + alive}
	if out, got := run(t, environ, "status"); got != (result{}) || !strings.Contains(out, "which nobody has ever run") {
		t.Errorf("exit %d: %s\n%s", got.Code, got.Stderr, out)
	}
}

// hole takes connections, and answers nothing.
type hole struct {
	address string
	close   func() (taken int)
}

func newHole(t *testing.T) *hole {
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
	h := &hole{address: l.Addr().String(), close: func() int {
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
