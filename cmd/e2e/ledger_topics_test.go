package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/schema"
)

// TestLedger_TopicPolicy: configurations of the ledger's topics that would lose records are
// reported while the program runs, and refused at its start, with the command that repairs them.
func TestLedger_TopicPolicy(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	b.runOnce(0)
	p := b.start("run")
	p.await(isOwner)
	b.setTopicConfig("ledger", "cleanup.policy", "delete")
	p.await("kafka-configs.sh --bootstrap-server " + b.brokers + " --alter --entity-type topics --entity-name " + b.prefix + "ledger --add-config cleanup.policy=compact")
	p.kill()
	b.setTopicConfig("ledger.rows", "retention.ms", "86400000")
	expectText(t, b.runOnce(1), "has cleanup.policy=delete, the ledger needs compact alone",
		"--alter --entity-type topics --entity-name "+b.prefix+"ledger --add-config cleanup.policy=compact",
		"has retention.ms=86400000", "--entity-name "+b.prefix+"ledger.rows --add-config retention.ms=3024000000")
	b.setTopicConfig("ledger", "cleanup.policy", "compact")
	b.setTopicConfig("ledger.rows", "retention.ms", "3024000000")
	b.runOnce(0)
	b.compareEvents()
}

// TestLedger_Pruning: a start deletes old days and commands from the ledger, the next one deletes
// nothing more, and nothing is published again.
func TestLedger_Pruning(t *testing.T) {
	t.Parallel()
	b := newTestbed(t, &exporttest.Server{Limits: exporttest.Limits{PerHour: -1}, Data: exporttest.Data{Seed: 44, RowsPerDay: 300, Duplicates: 0.1, Late: 0.2, LateFrom: 2}})
	b.unlimited()
	b.pollEvery("100ms")
	b.runOnce(0)
	today := currentDay()
	var records []*kgo.Record
	want := map[ledger.DayName]bool{}
	for _, stream := range []string{"events", "former"} { // the second is not configured
		kept := 400
		if stream == "events" {
			for day := today - 2; day <= today; day++ {
				want[ledger.DayName{Stream: stream, Day: day}] = true
				kept--
			}
		}
		for n := range 410 {
			day := today - 500 - schema.Day(n)
			records = append(records, &kgo.Record{Key: fmt.Appendf(nil, "day/1234/%s/%s", stream, day),
				Value: []byte(`{"state":"settled","exports":1,"last_success":"2024-01-01T00:00:00Z","final":true,"generation":1}`)})
			if n < kept {
				want[ledger.DayName{Stream: stream, Day: day}] = true
			}
		}
	}
	const command = `{"service":"1234","verb":"resume","stream":"events","given":"2024-01-01T00:00:00Z","done":"%s"}`
	b.put("ledger", append(records,
		&kgo.Record{Key: []byte("command/old"), Value: fmt.Appendf(nil, command, "2024-01-01T00:00:00Z")},
		&kgo.Record{Key: []byte("command/young"), Value: fmt.Appendf(nil, command, time.Now().UTC().Format(time.RFC3339))})...)

	expectText(t, b.runOnce(0), `"msg":"old records are deleted from the ledger","days":23,"commands":1`)
	state := b.ledgerState()
	got := map[ledger.DayName]bool{}
	for name := range state.Days {
		got[name] = true
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("days (-want +got):\n%s", diff)
	}
	if len(state.Commands) != 1 || state.Commands["young"] == nil {
		t.Errorf("commands %+v, want only the newer one", state.Commands)
	}
	deleted := 0
	for _, m := range b.consume("ledger", kgo.ReadUncommitted()) {
		if m.Value == "" {
			deleted++
		}
	}
	b.runOnce(0)
	if deleted != 24 {
		t.Errorf("%d records of the ledger are without a value, want 24", deleted)
	}
	b.compareEvents()
}

// TestLedger_StreamRemovedForAWhile removes a stream from the configuration and adds it again: its
// offsets in the checkpoint are kept, and nothing is recovered or published again.
func TestLedger_StreamRemovedForAWhile(t *testing.T) {
	t.Parallel()
	b := newLateRows(t)
	// Each start exports all days again. The calls of the other stream add late rows, which must
	// be published.
	b.pollEvery("20ms")
	b.secondStream("other")
	b.runOnce(0)
	events := map[string]string{}
	for name, value := range b.environ {
		if strings.HasPrefix(name, "STREAM_EVENTS_") {
			events[name] = value
			delete(b.environ, name)
		}
	}
	b.environ["STREAMS"] = "other"
	b.runOnce(0)
	delete(b.environ, "STREAM_OTHER_TOPIC")
	delete(b.environ, "STREAM_OTHER_START")
	delete(b.environ, "STREAMS")
	for name, value := range events {
		b.environ[name] = value
	}
	b.runOnce(0)
	b.compareEvents()
	b.checkLedger()
}

// TestLedger_OffsetsOfUnfencedPartition: the checkpoint keeps the offset of a partition that is
// not part of a renewal or of a takeover.
func TestLedger_OffsetsOfUnfencedPartition(t *testing.T) {
	t.Parallel()
	b, fake := newScripted(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 22, RowsPerDay: 300, Duplicates: 0.05, Late: 0.2, LateFrom: 3},
	})
	b.unlimited()
	b.pollEvery("1h") // an export that writes to the partition would restart the owner
	b.set("FENCE_RENEWAL", "500ms", "LOG_LEVEL", "debug")
	var begun, mended atomic.Bool
	raised := 0
	fake.ControlKey(int16(kmsg.AddPartitionsToTxn), func(r kmsg.Request) (kmsg.Response, error, bool) {
		fake.KeepControl()
		req := r.(*kmsg.AddPartitionsToTxnRequest)
		res := req.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
		without := true
		for _, topic := range req.Topics {
			answers := kmsg.NewAddPartitionsToTxnResponseTopic()
			answers.Topic = topic.Topic
			for _, p := range topic.Partitions {
				answer := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
				answer.Partition, answer.ErrorCode = p, kerr.OperationNotAttempted.Code
				if topic.Topic == b.prefix+"events" && p == 0 {
					without, answer.ErrorCode = false, kerr.TopicAuthorizationFailed.Code
				}
				answers.Partitions = append(answers.Partitions, answer)
			}
			res.Topics = append(res.Topics, answers)
		}
		if without {
			return nil, nil, false
		}
		raised++
		return res, nil, raised > 1 && begun.Load() && !mended.Load()
	})
	marked := func() (partitions []int) {
		state := b.ledgerState()
		for p, mark := range state.Checkpoint.Marks() {
			if p.Topic == b.prefix+"events" && mark.Next > 0 {
				partitions = append(partitions, p.Partition)
			}
		}
		slices.Sort(partitions)
		return partitions
	}
	keep := func(when string) {
		t.Helper()
		if diff := cmp.Diff([]int{0, 1, 2}, marked()); diff != "" {
			t.Errorf("%s: partitions with a mark (-want +got):\n%s", when, diff)
		}
	}
	p := b.start("run")
	p.awaitMore(exported, 2)
	begun.Store(true)
	p.await("partitions can't be fenced now")
	p.awaitMore("fence renewed", 1)
	p.kill()
	keep("lost at a renewal")
	b.secondStream("other")
	p = b.start("run")
	p.await("a stream waits for its topic")
	p.await(`"msg":"export ended","stream":"other"`)
	p.awaitMore(isOwner, 1) // the owner restarts after a checkpoint
	p.kill()
	keep("missing from the start")
	mended.Store(true)
	b.pollEvery("1s")
	b.finish()
}
