package producer_test

import (
	"bytes"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/pipeline/producer"
)

// counter counts connections.
type counter struct {
	net.Listener
	accepted atomic.Int32
}

func (c *counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	c.accepted.Add(1)
	return conn, err
}

// TestQuota: throttling by a quota is logged, and the next request uses a connection that the
// broker does not mute.
func TestQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := new(counter)
		memory := new(clustertest.Network)
		fake := embedded(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
			listener, err := memory.Listen(network, address)
			c.Listener = listener
			return c, err
		}))
		l := dialLog(t, memory.Dial, fake.ListenAddrs(), 1, nil)
		var logged bytes.Buffer
		l.fence.Log = slog.New(slog.NewTextHandler(&logged, nil))
		s := l.takeOver(producer.NoIdentity(), l.at(0))
		throttle, offset := int32(20), int64(10)
		fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
			fake.KeepControl()
			req := r.(*kmsg.ProduceRequest)
			res := req.ResponseKind().(*kmsg.ProduceResponse)
			topic, partition := kmsg.NewProduceResponseTopic(), kmsg.NewProduceResponseTopicPartition()
			partition.BaseOffset = offset
			topic.Topic, topic.Partitions = req.Topics[0].Topic, append(topic.Partitions, partition)
			res.Topics, res.ThrottleMillis = append(res.Topics, topic), throttle
			offset++
			return res, nil, true
		})
		for _, c := range []struct {
			throttle int32
			says     bool
		}{{20, false}, {1200, true}, {60_000, true}} {
			logged.Reset()
			throttle = c.throttle
			l.mustPut(s, l.at(0), "a")
			if says := strings.Contains(logged.String(), "its quota is exceeded"); says != c.says {
				t.Errorf("throttled for %d ms, the log has %q", throttle, logged.String())
			}
		}
		connections := c.accepted.Load()
		if _, err := l.cluster.Topics(l.soon(), l.topic); err != nil {
			t.Fatal(err)
		}
		if c.accepted.Load() == connections {
			t.Error("the next request used the connection that the broker does not read")
		}
	})
}
