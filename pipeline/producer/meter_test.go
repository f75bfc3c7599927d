package producer_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/pipeline/producer"
)

// TestMeter: counters continue across sessions, and gauges of records in flight end with them.
func TestMeter(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	meter := new(producer.Meter)
	l.fence.Meter = meter
	var bytes int64 // of the batches that the broker accepted
	var during producer.Stats
	var answers []*kerr.Error // to the next requests
	l.fake.ControlKey(int16(kmsg.Produce), func(r kmsg.Request) (kmsg.Response, error, bool) {
		l.fake.KeepControl()
		during = meter.Stats()
		req := r.(*kmsg.ProduceRequest)
		if len(answers) == 0 {
			bytes += int64(len(req.Topics[0].Partitions[0].Records))
			return nil, nil, false
		}
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		partition := kmsg.NewProduceResponseTopicPartition()
		partition.ErrorCode = answers[0].Code
		answers = answers[1:]
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.Partitions = req.Topics[0].Topic, append(topic.Partitions, partition)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	s := l.takeOver(producer.NoIdentity(), l.at(0))
	l.mustPut(s, l.at(0), "first")
	early := meter.Stats().Retries // before the client had the topic's metadata
	first := bytes
	answers = []*kerr.Error{kerr.NotEnoughReplicas}
	l.mustPut(s, l.at(0), "a", "b")
	if diff := cmp.Diff(producer.Stats{Batches: 1, Records: 1, Bytes: first, Retries: early + 1, InFlight: 1, Waiting: 1}, during); diff != "" {
		t.Errorf("during the second attempt (-want +got):\n%s", diff)
	}
	l.mustPut(s, l.at(0), "c")
	s.Close()
	s = l.takeOver(producer.NoIdentity(), l.at(0))
	l.mustPut(s, l.at(0), "d")
	answers = []*kerr.Error{kerr.NotLeaderForPartition, kerr.ProducerFenced}
	expectError(t, l.put(s, l.at(0), "e"), producer.ErrFenced)
	s.Close()
	if diff := cmp.Diff(producer.Stats{Batches: 4, Records: 5, Bytes: bytes, Retries: early + 2}, meter.Stats()); diff != "" {
		t.Errorf("at the end (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(producer.Stats{}, (*producer.Meter)(nil).Stats()); diff != "" {
		t.Errorf("without a meter (-want +got):\n%s", diff)
	}
}

// TestMeterOfTakeOver: while the coordinator is not available, the meter shows that a takeover
// waits for it.
func TestMeterOfTakeOver(t *testing.T) {
	l := newFakeLog(t, 1, nil)
	meter := new(producer.Meter)
	l.fence.Meter = meter
	var during []bool
	l.fake.ControlKey(int16(kmsg.AddPartitionsToTxn), func(r kmsg.Request) (kmsg.Response, error, bool) {
		l.fake.KeepControl()
		during = append(during, meter.Stats().Fencing)
		if len(during) > 1 {
			return nil, nil, false
		}
		req := r.(*kmsg.AddPartitionsToTxnRequest)
		res := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
		for _, topic := range req.Topics {
			answer := kmsg.NewAddPartitionsToTxnResponseTopic()
			answer.Topic = topic.Topic
			for _, p := range topic.Partitions {
				answer.Partitions = append(answer.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p, ErrorCode: kerr.NotCoordinator.Code})
			}
			res.Topics = append(res.Topics, answer)
		}
		return res, nil, true
	})
	l.takeOver(producer.NoIdentity(), l.at(0))
	if diff := cmp.Diff([]bool{false, true}, during); diff != "" {
		t.Errorf("fencing at each request (-want +got):\n%s", diff)
	}
	if meter.Stats().Fencing {
		t.Error("fencing after the takeover")
	}
}
