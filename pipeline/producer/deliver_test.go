package producer_test

import (
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

// fault makes the next produce request fail.
func (l *log) fault(err *kerr.Error) {
	l.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err})
}

// TestSender_TransientErrors: after each of these errors the same batch is sent again, and is
// in the log once.
func TestSender_TransientErrors(t *testing.T) {
	for _, err := range []*kerr.Error{
		kerr.RequestTimedOut, kerr.NotEnoughReplicasAfterAppend, // both after the append
		kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition, kerr.KafkaStorageError,
		kerr.UnknownServerError, kerr.TopicAuthorizationFailed,
	} {
		t.Run(err.Message, func(t *testing.T) {
			t.Parallel()
			l := newFakeLog(t, 1, nil)
			s := l.takeOver(producer.NoIdentity(), l.at(0))
			l.mustPut(s, l.at(0), "a")
			l.fault(err)
			l.fault(err)
			l.mustPut(s, l.at(0), "b")
			l.mustPut(s, l.at(0), "c")
			l.want(0, "a", "b", "c")
			if waiting := s.Waiting(); len(waiting) > 0 {
				t.Errorf("all records are acknowledged, but the sender waits: %v", waiting)
			}
		})
	}
}

// cutter is a listener that closes a connection instead of sending the answer to a Produce request.
type cutter struct {
	net.Listener
	armed atomic.Bool
}

// cutConn knows whether the last request on its connection was a Produce request.
type cutConn struct {
	net.Conn
	cutter   *cutter
	sized    bool        // the size of a request was read; its key follows
	produces atomic.Bool // the last request was a Produce request
}

// Read looks at the key of a request. The broker reads the size, 4 bytes, and then the rest.
func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.sized && n >= 2 {
		c.produces.Store(int16(binary.BigEndian.Uint16(b)) == int16(kmsg.Produce))
	}
	c.sized = len(b) == 4 && n == 4
	return n, err
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return &cutConn{Conn: conn, cutter: c}, err
}

func (c *cutConn) Write(b []byte) (int, error) {
	if c.produces.Load() && c.cutter.armed.CompareAndSwap(true, false) {
		c.Conn.Close()
		return 0, net.ErrClosed
	}
	return c.Conn.Write(b)
}

// TestLostAcknowledgement: a batch whose acknowledgement was lost is in the log once.
func TestLostAcknowledgement(t *testing.T) {
	c := new(cutter)
	fake := embedded(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
		listener, err := net.Listen(network, address)
		c.Listener = listener
		return c, err
	}))
	l := newLog(t, fake.ListenAddrs(), 1, nil)
	l.fake = fake
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	cuts := 0
	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		if cuts++; cuts%2 == 1 {
			c.armed.Store(true)
		}
		return nil, nil, false
	})
	l.mustPut(s, l.at(0), "a")
	l.mustPut(s, l.at(0), "b")
	l.mustPut(s, l.at(0), "c", "d")
	l.want(0, "a", "b", "c", "d")
	if cuts != 6 {
		t.Errorf("%d requests, want two for each batch", cuts)
	}
}

// TestDuplicateIsAcknowledged: a batch that the broker reports as a duplicate, without its offset,
// counts as acknowledged.
func TestDuplicateIsAcknowledged(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	l.fault(kerr.DuplicateSequenceNumber)
	l.mustPut(s, l.at(0), "a")
	position, _ := s.Position(l.at(0))
	if diff := cmp.Diff(recordbatch.Position{Next: -1, Last: -1, LastID: "id a"}, position); diff != "" {
		t.Errorf("position (-want +got):\n%s", diff)
	}
}

// TestSender_FatalErrors: each of these errors ends the session, and nothing more is written.
func TestSender_FatalErrors(t *testing.T) {
	tests := map[string]struct {
		answers []*kerr.Error
		want    error
		refused producer.RefusedError // when want is nil
	}{
		"out of order":     {answers: []*kerr.Error{kerr.OutOfOrderSequenceNumber}, want: producer.ErrRestore},
		"unknown producer": {answers: []*kerr.Error{kerr.UnknownProducerID}, want: producer.ErrRestore},
		"old epoch":        {answers: []*kerr.Error{kerr.InvalidProducerEpoch}, want: producer.ErrFenced},
		"fenced":           {answers: []*kerr.Error{kerr.NotLeaderForPartition, kerr.ProducerFenced}, want: producer.ErrFenced},
		"refused":          {answers: []*kerr.Error{kerr.InvalidTimestamp}, refused: producer.RefusedError{Records: 2}},
		"refused after a refusal that passes": {answers: []*kerr.Error{kerr.NotEnoughReplicas, kerr.TopicAuthorizationFailed, kerr.InvalidTimestamp},
			refused: producer.RefusedError{Records: 2}},
		"refused after unknown":             {answers: []*kerr.Error{kerr.RequestTimedOut, kerr.InvalidTimestamp}, refused: producer.RefusedError{Records: 2, Unknown: true}},
		"too large after unknown":           {answers: []*kerr.Error{kerr.NetworkException, kerr.MessageTooLarge}, refused: producer.RefusedError{Records: 2, Unknown: true}},
		"larger than a segment, even alone": {answers: []*kerr.Error{kerr.RecordListTooLarge, kerr.RecordListTooLarge}, refused: producer.RefusedError{Records: 1}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newFakeLog(t, 1, nil)
			s := l.takeOver(producer.NoIdentity(), l.at(0))
			for _, err := range test.answers {
				l.fault(err)
			}
			err := l.put(s, l.at(0), "a", "b")
			<-s.Done()
			if test.want != nil {
				expectError(t, err, test.want)
			} else {
				var got *producer.RefusedError
				if !errors.As(err, &got) {
					t.Fatalf("error %v, want a RefusedError", err)
				}
				want := test.refused
				want.Partition, want.Bytes, want.Err = l.at(0), got.Bytes, got.Err
				if diff := cmp.Diff(want, *got, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" {
					t.Errorf("refused (-want +got):\n%s", diff)
				}
			}
			if err := l.put(s, l.at(0), "c"); err == nil {
				t.Error("a session that has ended accepts records")
			}
			expectError(t, err, s.Err())
		})
	}
}
