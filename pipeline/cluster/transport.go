package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/listoffsets"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"

	"dfinery-kafka/pipeline/recordbatch"
)

// transport is kafka-go's Transport with a timeout for each request. It refreshes the cluster's
// metadata as soon as an answer shows that it changed: kafka-go itself refreshes it only
// periodically.
type transport struct {
	pool    *kafka.Transport
	timeout time.Duration
	turn    chan struct{} // held during a refresh; guards began
	began   time.Time     // the last refresh
	health  health
	slow    func(request string, after time.Duration) // nil: nothing is called
	late    atomic.Int32                              // requests in flight for longer than slowAfter
}

// RoundTrip implements kafka.RoundTripper.
func (t *transport) RoundTrip(ctx context.Context, addr net.Addr, req kafka.Request) (kafka.Response, error) {
	limited, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	answered := t.watch(req)
	t.health.begin()
	res, err := t.pool.RoundTrip(limited, addr, req)
	for waits := newRetry(unknownBrokerFor); errors.Is(err, kafka.BrokerNotAvailable); {
		// Nothing was sent: the broker is not in the pool's metadata, mostly because no broker
		// could be reached until now.
		if t.refresh(limited, addr) != nil || waits.next(limited, err) != nil {
			break
		}
		res, err = t.pool.RoundTrip(limited, addr, req)
	}
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("kafka did not answer within %s: %w", t.timeout, err)
	}
	t.health.end(err)
	answered()
	if ctx.Err() != nil || err == nil && !moved(res) {
		return res, err
	}
	unreachable := t.refresh(ctx, addr)
	if _, told := errors.AsType[*ConnectError](err); err != nil && unreachable != nil && !told {
		err = fmt.Errorf("%w; %w", err, unreachable)
	}
	return res, err
}

// unknownBrokerFor is how long a request waits for a broker that is missing in the metadata.
const unknownBrokerFor = 2 * metadataTTL

// slowAfter is longer than any request takes in a healthy cluster. With a lagging replica,
// acks=all may take that long without an error.
const slowAfter = 8 * time.Second

// watch calls slow if the request is not answered within slowAfter, unless another one is
// already late: many partitions may wait for the same broker. The returned function must be
// called at the answer.
func (t *transport) watch(req kafka.Request) (answered func()) {
	what := describe(req)
	timer := time.AfterFunc(slowAfter, func() {
		if t.late.Add(1) == 1 && t.slow != nil {
			t.slow(what, slowAfter)
		}
	})
	return func() {
		if !timer.Stop() {
			t.late.Add(-1)
		}
	}
}

// describe names a request in messages.
func describe(req kafka.Request) string {
	switch req := req.(type) {
	case *rawproduce.Request:
		if len(req.Topics) == 1 && len(req.Topics[0].Partitions) == 1 {
			at := recordbatch.TopicPartition{Topic: req.Topics[0].Topic, Partition: int(req.Topics[0].Partitions[0].Partition)}
			return "Produce to " + at.String()
		}
	case *fetch:
		return "Fetch from " + req.TopicPartition.String()
	}
	return req.ApiKey().String()
}

// refresh waits until the metadata has been requested. It fails if no broker can be reached.
func (t *transport) refresh(ctx context.Context, addr net.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, 2*metadataTTL)
	defer cancel()
	wanted := time.Now()
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return nil
	}
	if t.began.After(wanted) {
		return nil // a burst of failures, one for each partition, needs one refresh
	}
	t.began = time.Now()
	_, err := t.pool.RoundTrip(ctx, addr, refreshRequest{})
	if connect, ok := errors.AsType[*ConnectError](err); ok {
		return connect
	}
	return nil
}

// moved reports whether an answer came from a broker that is not, or no longer, the partition's
// leader.
func moved(res kafka.Response) bool {
	var codes []int16
	switch res := res.(type) {
	case *produce.Response:
		for _, topic := range res.Topics {
			for _, partition := range topic.Partitions {
				codes = append(codes, partition.ErrorCode)
			}
		}
	case *listoffsets.Response:
		for _, topic := range res.Topics {
			for _, partition := range topic.Partitions {
				codes = append(codes, partition.ErrorCode)
			}
		}
	}
	for _, code := range codes {
		switch kafka.Error(code) {
		case kafka.UnknownTopicOrPartition, kafka.LeaderNotAvailable, kafka.NotLeaderForPartition, kafka.KafkaStorageError,
			kafka.FencedLeaderEpoch, kafka.UnknownLeaderEpoch:
			return true
		}
	}
	return false
}

// refreshRequest makes kafka-go refresh the metadata at once, which it otherwise does only after
// creating topics: it is handled as a request to create topics, and is never sent.
type refreshRequest struct{}

func (refreshRequest) ApiKey() protocol.ApiKey { return protocol.CreateTopics }

func (refreshRequest) Required(map[protocol.ApiKey]int16) bool { return true }

func (refreshRequest) RawExchange(io.ReadWriter) (protocol.Message, error) {
	return &createtopics.Response{}, nil
}

// anyBroker is the placeholder for a broker's id.
const anyBroker = -1

// send sends a request directly to one broker, or anyBroker: without a cached answer, without a
// separate request and connection for each partition, and without choosing a broker by stale
// metadata.
func (c *Cluster) send(ctx context.Context, broker int32, req protocol.Message) (protocol.Message, error) {
	res, err := c.transport.RoundTrip(ctx, c.addr, &direct{Message: req, broker: broker, clientID: c.cfg.ClientID})
	if err != nil {
		return nil, err
	}
	return res.(answer).Message, nil
}

// direct hides a message's type from kafka-go, which handles some types specially.
type direct struct {
	protocol.Message
	broker   int32
	clientID string
	version  int16
}

// answer hides the type of a direct message's answer.
type answer struct{ protocol.Message }

func (d *direct) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: d.broker}, nil
}

func (d *direct) Required(versions map[protocol.ApiKey]int16) bool {
	d.version = versions[d.ApiKey()]
	return true
}

func (d *direct) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	// A connection has one request in flight at a time, so the correlation id need not identify
	// the request.
	res, err := protocol.RoundTrip(rw, d.version, 0, d.clientID, d.Message)
	if err != nil {
		return nil, err
	}
	return answer{res}, nil
}
