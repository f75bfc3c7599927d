package e2e

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"dfinery-kafka/connector/exporttest"
	"dfinery-kafka/pipeline/cluster/clustertest"
	"dfinery-kafka/schema"
)

// TestStreamIsLeftOutForAWhile: a stream that is not configured for a while is gone on with, not restored as if the ledger knew nothing
// of its rows.
func TestStreamIsLeftOutForAWhile(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	// Each start exports all days again: the other stream's calls bring the late rows that these must publish.
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "20ms", "20ms"
	b.environ["STREAMS"], b.environ["STREAM_OTHER_TOPIC"], b.environ["STREAM_OTHER_START"] = "events,other", b.prefix+"other", "0"
	b.once(0)
	events := map[string]string{}
	for name, value := range b.environ {
		if strings.HasPrefix(name, "STREAM_EVENTS_") {
			events[name] = value
			delete(b.environ, name)
		}
	}
	b.environ["STREAMS"] = "other"
	b.once(0)
	delete(b.environ, "STREAM_OTHER_TOPIC")
	delete(b.environ, "STREAM_OTHER_START")
	delete(b.environ, "STREAMS")
	for name, value := range events {
		b.environ[name] = value
	}
	b.once(0)
	compare(t, b.served(schema.Event), b.published("events"))
	b.balanced()
}

// TestTopicAwayForAWhile: a topic that is made anew only after a start without it has lost its rows all the same. That its stream waits is
// said once, with the command that makes the topic.
func TestTopicAwayForAWhile(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.once(0)
	b.deleteTopics("events")
	b.environ["KAFKA_CREATE_TOPICS"] = "false"
	p := b.start(binary, nil, "run")
	p.await(`"msg":"owner"`)
	p.kill()
	const waits = `"msg":"a stream waits for its topic","stream":"events"`
	if n := strings.Count(p.text(), waits); n != 1 {
		t.Errorf("said %d times, want once: %s\n%s", n, waits, p.text())
	}
	expect(t, p.text(), "create it with: kafka-topics.sh")
	b.environ["KAFKA_CREATE_TOPICS"] = "true"
	day := schema.DayOf(time.Now(), seoul)
	expect(t, b.once(0), "Kafka has lost acknowledged rows of a stream: publish its days again",
		fmt.Sprintf("dfinery-kafka backfill events --from %s --to %s --again", day-2, day))
	if log := b.once(0); strings.Contains(log, "Kafka has lost") {
		t.Errorf("said again, of a topic that lost nothing since:\n%s", log)
	}
}

// TestFewerPartitions: rows of partitions that a topic no longer has are lost, too.
func TestFewerPartitions(t *testing.T) {
	t.Parallel()
	b := lateBench(t)
	b.once(0)
	b.makeAnew("events", 1, nil)
	log := b.once(0)
	for p := range 6 {
		expect(t, log, fmt.Sprintf(`"partition":"topic %sevents partition %d"`, b.prefix, p))
	}
}

// TestRenewalWithoutAPartition: a partition that takes no part in a renewal, or in a take-over, is gone on with from where the ledger left it.
func TestRenewalWithoutAPartition(t *testing.T) {
	t.Parallel()
	fake := embedded(t, kfake.NumBrokers(1))
	clustertest.RefuseOldEpochs(fake)
	b := newBench(t, &exporttest.Server{
		Limits: exporttest.Limits{PerHour: -1},
		Data:   exporttest.Data{Seed: 22, RowsPerDay: 1500, Duplicates: 0.05, Late: 0.2, LateFrom: 3},
	})
	b.brokers = strings.Join(fake.ListenAddrs(), ",")
	b.environ["KAFKA_BROKERS"] = b.brokers
	b.unbounded()
	b.quiet() // an export that comes upon the partition ends the tenure
	b.environ["FENCE_RENEWAL"] = "500ms"
	b.environ["LOG_LEVEL"] = "debug"
	var exported, mended atomic.Bool
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
		return res, nil, raised > 1 && exported.Load() && !mended.Load()
	})
	marked := func() (partitions []int) {
		_, state := b.books()
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
		if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5}, marked()); diff != "" {
			t.Errorf("%s: partitions with a mark (-want +got):\n%s", when, diff)
		}
	}
	p := b.start(binary, nil, "run")
	p.awaitMore(`"msg":"export ended"`, 2)
	exported.Store(true)
	p.await("partitions can't be fenced now")
	p.awaitMore("fence renewed", 1)
	p.kill()
	keep("lost at a renewal")
	b.environ["STREAMS"], b.environ["STREAM_OTHER_TOPIC"], b.environ["STREAM_OTHER_START"] = "events,other", b.prefix+"other", "0"
	p = b.start(binary, nil, "run")
	p.await("a stream waits for its topic")
	p.await(`"msg":"export ended","stream":"other"`)
	p.awaitMore(isOwner, 1) // the former tenure's end is a checkpoint
	p.kill()
	keep("missing from the start")
	mended.Store(true)
	b.environ["STREAM_EVENTS_POLL_INTERVAL"], b.environ["STREAM_EVENTS_LOOKBACK_INTERVAL"] = "1s", "1s"
	b.settle()
}

// TestFingerprintsMadeAnew: the topic with the fingerprints is deleted, and in a new one others' records stand in their places. It is said
// once of each day that it may repeat; from then on each day's fingerprints are those of its rows.
func TestFingerprintsMadeAnew(t *testing.T) {
	for name, others := range map[string]int{"empty": 0, "with fingerprints of another service": 60} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := lateBench(t)
			b.once(0)
			before := b.published("events")
			b.makeAnew("ledger.rows", 1, map[string]string{"retention.ms": "-1", "retention.bytes": "-1"})
			for range others {
				b.put("ledger.rows", &kgo.Record{Key: []byte("999/events/2026-11-22"), Value: make([]byte, 16), Headers: []kgo.RecordHeader{{Key: "generation", Value: []byte("1")}}})
			}
			log := b.once(0)
			today := schema.DayOf(time.Now(), seoul)
			for day := today - 2; day <= today; day++ {
				if n := strings.Count(log, fmt.Sprintf(`"msg":"rows of this day may be published twice","stream":"events","day":"%s"`, day)); n != 1 {
					t.Errorf("that rows of %s may be published twice is said %d times, want once:\n%s", day, n, log)
				}
			}
			b.once(0)
			b.known()
			if log := b.once(0); strings.Contains(log, "may be published twice") || strings.Contains(log, "missing from the latest export") {
				t.Errorf("said again, and nothing repeats any more:\n%s", log)
			}
			b.known()
			var after []map[string]string
			for _, m := range b.consume(b.prefix+"events", kgo.ReadUncommitted()) {
				row := map[string]string{}
				if err := json.Unmarshal([]byte(m.Value), &row); err != nil {
					t.Fatal(err)
				}
				after = append(after, row)
			}
			compare(t, append(before, b.served(schema.Event)...), after) // what was published before repeats, once
		})
	}
}

// put writes records with a client that is not ours, each into the partition that it names.
func (b *bench) put(topic string, records ...*kgo.Record) {
	b.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(b.brokers, ",")...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	for _, r := range records {
		r.Topic = b.prefix + topic
	}
	if err := client.ProduceSync(b.t.Context(), records...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}
