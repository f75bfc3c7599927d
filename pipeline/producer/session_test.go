package producer_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
)

func TestOrder(t *testing.T) {
	onEachKafka(t, 3, func(t *testing.T, l *log) {
		s := l.takeOver(producer.NoIdentity(), l.partitions(3)...)
		values := numbered(900, 2000) // several batches for each partition
		for i, v := range values {
			sender, err := s.Sender(l.at(i % 3))
			if err != nil {
				t.Fatal(err)
			}
			if err := appendEntry(sender, v); err != nil {
				t.Fatal(err)
			}
			if i == 100 {
				if err := s.Flush(l.soon(), sender); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := s.Flush(l.soon()); err != nil {
			t.Fatal(err)
		}
		ends, err := l.cluster.Offsets(l.soon(), l.partitions(3)...)
		if err != nil {
			t.Fatal(err)
		}
		for p := range 3 {
			var want []string
			for i := p; i < len(values); i += 3 {
				want = append(want, values[i])
			}
			l.want(p, want...)
			position, _ := s.Position(l.at(p))
			if diff := cmp.Diff(recordbatch.Position{Next: ends[p].End, Last: ends[p].End - 1, LastID: "id " + want[299]}, position); diff != "" {
				t.Errorf("position of partition %d (-want +got):\n%s", p, diff)
			}
		}
		s.Close()
		expectError(t, s.Err(), producer.ErrClosed)
		expectNoSenders(t)
	})
}

func TestSessionWithoutFence(t *testing.T) {
	onEachKafka(t, 1, func(t *testing.T, l *log) {
		l.fence.TransactionalID = ""
		s := l.takeOver(producer.NoIdentity(), l.at(0))
		l.mustPut(s, l.at(0), "a", "b")
		if err := s.Renew(l.soon(), l.partitions(1)); err != nil {
			t.Fatal(err)
		}
		l.mustPut(s, l.at(0), "c")
		other := l.takeOver(producer.NoIdentity(), l.at(0))
		l.mustPut(other, l.at(0), "d")
		l.mustPut(s, l.at(0), "e")
		l.want(0, "a", "b", "c", "d", "e")
	})
}

func TestNothingWrittenHasNoPosition(t *testing.T) {
	l := newFakeLog(t, 2, nil)
	s := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
	if err := s.Flush(l.soon()); err != nil {
		t.Fatal(err)
	}
	l.mustPut(s, l.at(0), "a")
	if position, written := s.Position(l.at(1)); written {
		t.Errorf("position %+v of a partition without records", position)
	}
	_, err := s.Sender(l.at(2))
	expectError(t, err, producer.ErrNotOwned)
	s.Close()
	_, err = s.Sender(l.at(0))
	expectError(t, err, producer.ErrClosed)
}

// stall holds back Produce requests until the returned function is called, and sends to the channel
// when one arrives.
func stall(fake *kfake.Cluster) (arrived <-chan struct{}, release func()) {
	held, gate := make(chan struct{}, 100), make(chan struct{})
	fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		select {
		case <-gate:
		default:
			held <- struct{}{}
			fake.SleepControl(func() { <-gate })
		}
		return nil, nil, false
	})
	return held, func() { close(gate) }
}

// TestBackPressure: while the broker accepts no records, Append blocks after a limited number of
// records.
func TestBackPressure(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	sender, err := s.Sender(l.at(0))
	if err != nil {
		t.Fatal(err)
	}
	arrived, release := stall(l.fake)
	values := numbered(100, 32<<10) // of 64 KiB as text
	appended := make(chan string, len(values))
	ended := make(chan error, 1)
	go func() {
		for _, v := range values {
			if err := appendEntry(sender, v); err != nil {
				ended <- err
				return
			}
			appended <- v
		}
		ended <- nil
	}()
	<-arrived
	select {
	case err := <-ended:
		t.Fatalf("Append does not block while the broker accepts no records: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	// At most: a batch in flight, one in the queue, one that waits for space; 512 KiB each.
	if n := len(appended); n > 3*9 {
		t.Errorf("%d records of 64 KiB were appended", n)
	}
	release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(l.soon()); err != nil {
		t.Fatal(err)
	}
	l.want(0, values...)
}

// TestCloseWhileBlocked: Close ends calls that wait for the broker, and all goroutines.
func TestCloseWhileBlocked(t *testing.T) {
	l := newFakeLog(t, 2, nil)
	s := l.takeOver(producer.NoIdentity(), l.partitions(2)...)
	sender, err := s.Sender(l.at(0))
	if err != nil {
		t.Fatal(err)
	}
	arrived, release := stall(l.fake)
	defer release()
	ended := make(chan error, 2)
	go func() {
		for {
			if err := appendEntry(sender, numbered(1, 64<<10)[0]); err != nil {
				ended <- err
				return
			}
		}
	}()
	<-arrived
	go func() { ended <- l.put(s, l.at(1), "a") }()
	<-arrived
	s.Close()
	for range 2 {
		expectError(t, <-ended, producer.ErrClosed)
	}
	expectError(t, s.Err(), producer.ErrClosed)
	expectNoSenders(t)
}

// TestAbandonedFlush: after a Flush whose context has ended, the next Flush still waits for
// the records in flight.
func TestAbandonedFlush(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	arrived, release := stall(l.fake)
	sender, err := s.Sender(l.at(0))
	if err != nil {
		t.Fatal(err)
	}
	if err := appendEntry(sender, "a"); err != nil {
		t.Fatal(err)
	}
	for range 3 { // the queue is full at the last
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		expectError(t, s.Flush(ctx), context.DeadlineExceeded)
		cancel()
	}
	<-arrived
	release()
	if err := s.Flush(l.soon()); err != nil {
		t.Fatal(err)
	}
	if position, _ := s.Position(l.at(0)); position.LastID != "id a" {
		t.Errorf("flushed, but the position is %+v", position)
	}
	l.want(0, "a")
}

// TestSession_ExpiredFence: with a fence that was not renewed for too long the session writes
// nothing; its identity can take over again.
func TestSession_ExpiredFence(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	now := time.Now()
	l.fence.Now = func() time.Time { return now }
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	l.mustPut(s, l.at(0), "a")
	now = now.Add(11 * time.Hour)
	l.mustPut(s, l.at(0), "b")
	if err := s.Renew(l.soon(), l.partitions(1)); err != nil {
		t.Fatal(err)
	}
	now = now.Add(11 * time.Hour)
	l.mustPut(s, l.at(0), "c")
	now = now.Add(61 * time.Minute)
	expectError(t, l.put(s, l.at(0), "never"), producer.ErrStale)
	expectError(t, s.Err(), producer.ErrStale)
	l.mustPut(l.takeOver(s.Identity(), l.at(0)), l.at(0), "d")
	l.want(0, "a", "b", "c", "d")
}
