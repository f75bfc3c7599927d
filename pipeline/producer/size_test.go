package producer_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/producer"
)

// TestTooLarge: records that are small enough alone or compressed are published in their
// order; only those that are too large are refused.
func TestTooLarge(t *testing.T) {
	l := newFakeLog(t, 1, map[string]string{"max.message.bytes": "5000"})
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	s.SetLimit(l.topic, 5000)
	sender, err := s.Sender(l.at(0))
	if err != nil {
		t.Fatal(err)
	}
	small, hard := numbered(40, 450), numbered(1, 5000)[0] // 900 and 10,000 bytes as text
	soft := fmt.Sprintf("%020000d", 7)
	var want []string
	for i, v := range slices.Concat(small[:3], []string{soft, hard, soft}, small[3:20], []string{hard}, small[20:], []string{soft}) {
		err := appendEntry(sender, v)
		var large *producer.TooLargeError
		switch {
		case v != hard:
			if err != nil {
				t.Fatalf("record %d of %d bytes: %v", i, len(v), err)
			}
			want = append(want, v)
		case !errors.As(err, &large):
			t.Errorf("record %d of %d bytes: %v, want a TooLargeError", i, len(v), err)
		default:
			if diff := cmp.Diff(producer.TooLargeError{Topic: l.topic, Bytes: large.Bytes, Limit: 5000}, *large); diff != "" || large.Bytes <= 5000 {
				t.Errorf("%+v (-want +got):\n%s", large, diff)
			}
		}
	}
	if err := s.Flush(l.soon()); err != nil {
		t.Fatal(err)
	}
	l.want(0, want...)
}

// TestSender_SmallerBatches: if a topic refuses a batch as too large, smaller ones are sent,
// until a single record is too large.
func TestSender_SmallerBatches(t *testing.T) {
	l := newFakeLog(t, 1, map[string]string{"max.message.bytes": "5000"})
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	values := numbered(60, 450)
	l.mustPut(s, l.at(0), values...)
	l.want(0, values...)
	large := numbered(1, 9000)[0]
	err := l.put(s, l.at(0), "a", "b", large, "c")
	var refused *producer.RefusedError
	if !errors.As(err, &refused) {
		t.Fatalf("error %v, want a RefusedError", err)
	}
	want := producer.RefusedError{Partition: l.at(0), Records: 1, Bytes: refused.Bytes, Err: refused.Err}
	if diff := cmp.Diff(want, *refused, cmp.Comparer(func(a, b error) bool { return a == b })); diff != "" || refused.Bytes < 9000 {
		t.Errorf("%+v (-want +got):\n%s", refused, diff)
	}
	l.want(0, append(values, "a", "b")...)
}

// TestSender_SingleBatch: with UseSingleBatch all records between two flushes are sent in one
// request, even if they are larger than the batches of other senders.
func TestSender_SingleBatch(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	sender, err := s.Sender(l.at(0))
	if err != nil {
		t.Fatal(err)
	}
	sender.UseSingleBatch()
	requests := 0
	l.fake.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		l.fake.KeepControl()
		requests++
		return nil, nil, false
	})
	values := numbered(56, 4<<10) // of 16 KiB with their headers
	for round := 1; round <= 2; round++ {
		l.mustPut(s, l.at(0), values...)
		if requests != round {
			t.Errorf("%d requests after %d flushes, want as many", requests, round)
		}
	}
	l.want(0, slices.Concat(values, values)...)
}
