package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/connector/exporttest"
)

// frontedListener is a broker's listener that is advertised with the address of a proxy.
type frontedListener struct {
	net.Listener
	front net.Addr
}

func (l frontedListener) Addr() net.Addr { return l.front }

// TestKafka_LateProxy starts a service with a new stream before the proxy between it and Kafka
// is ready, as with the sidecar of a service mesh. When it is, the topic is created and the rows
// are published. It repeats this with several streams.
func TestKafka_LateProxy(t *testing.T) {
	t.Parallel()
	// The proxy's port is closed at times. All else uses 127.0.0.1, so nothing takes it meanwhile.
	reserved, err := net.Listen("tcp", "127.0.0.9:0")
	if err != nil { // not every system has all of 127.0.0.0/8
		reserved, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		t.Fatal(err)
	}
	front := reserved.Addr()
	reserved.Close()
	var broker net.Listener
	b, _ := newScripted(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 41, RowsPerDay: 300}},
		kfake.ListenFn(func(network, _ string) (net.Listener, error) {
			broker, err = net.Listen(network, "127.0.0.1:0")
			return frontedListener{broker, front}, err
		}))
	b.unlimited()
	p := newProxy(t, front.String(), broker.Addr().String())
	b.runOnce(0)
	streams := []string{"events"}
	for try := range 5 {
		p.listener.Close()
		p.reset()
		stream := fmt.Sprintf("late%d", try)
		b.secondStream(stream)
		streams = append(streams, stream)
		b.set("STREAMS", strings.Join(streams, ","))
		run := b.start("run")
		run.await("connection refused")
		p = newProxy(t, front.String(), broker.Addr().String())
		run.await(`"stream":"` + stream + `"`)
		b.await("rows of the stream "+stream, func() bool { return len(b.rows(stream)) == 300 })
		run.kill()
	}
	b.finish()
}
