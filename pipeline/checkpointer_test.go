package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"

	"dfinery-kafka/pipeline/cluster"
	"dfinery-kafka/pipeline/dedup"
	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/producer"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

var errNotAcknowledged = errors.New("not acknowledged")

// failingFlush is a session in which one Flush fails, after left successful ones; if left is
// negative, none fails.
type failingFlush struct {
	*producer.Session
	left int
}

func (f *failingFlush) Flush(ctx context.Context, senders ...*producer.Sender) error {
	f.left--
	if f.left == -1 {
		return errNotAcknowledged
	}
	return f.Session.Flush(ctx, senders...)
}

// checkpointTestbed is a checkpointer with one stream on an embedded Kafka.
type checkpointTestbed struct {
	t       *testing.T
	stored  *store.Ledger
	session *failingFlush
	days    *schedule.State
	day     *transfer.Day
	rows    schema.Fingerprint // of the last published row
	steps   []string
	*checkpointer
}

func newCheckpointTestbed(t *testing.T) *checkpointTestbed {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	topic := fmt.Sprintf("ledger%08x", rand.Uint32())
	kafka, err := cluster.New(cluster.Config{Brokers: fake.ListenAddrs(), Topics: []string{topic, topic + ".rows"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kafka.Close)
	b := &checkpointTestbed{t: t, stored: &store.Ledger{Cluster: kafka, Topic: topic, Rows: topic + ".rows", Service: "1234"}}
	if _, err := kafka.EnsureTopics(t.Context(), true, b.stored.Specs(1, 1)...); err != nil {
		t.Fatal(err)
	}
	codec, err := recordbatch.NewCodec("snappy")
	if err != nil {
		t.Fatal(err)
	}
	at := &partitions{state: recordbatch.TopicPartition{Topic: topic}, rows: recordbatch.TopicPartition{Topic: topic + ".rows"}}
	at.all = []recordbatch.TopicPartition{at.state, at.rows}
	session, err := (&producer.Fence{Cluster: kafka, TransactionalID: topic, Codec: codec}).TakeOver(t.Context(), producer.NoIdentity(), at.all)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(session.Close)
	w := &store.Writer{Ledger: b.stored}
	if w.State, err = session.Sender(at.state); err != nil {
		t.Fatal(err)
	}
	if w.Rows, err = session.Sender(at.rows); err != nil {
		t.Fatal(err)
	}
	b.session = &failingFlush{session, -1}
	stream := schedule.StreamConfig{Name: "events", Kind: schema.Event, StartBack: 2}
	b.days = schedule.New([]schedule.StreamConfig{stream}, schedule.Policy{Service: "1234", Location: planned}, noon)
	b.day = &transfer.Day{Name: ledger.DayName{Stream: "events", Day: today}, Rows: dedup.Day{Set: new(dedup.Set)}}
	oldest := func() schema.Day { return today - schema.Reach }
	b.checkpointer = newCheckpointer(b.session, w, b.days, at, oldest, func(name string) { b.steps = append(b.steps, name) })
	return b
}

// publish adds n rows to the day in memory.
func (b *checkpointTestbed) publish(n int) {
	b.days.Begin(schedule.Due{Stream: "events", Day: today}, noon)
	for range n {
		b.rows[0]++
		copyNumber, _ := b.day.Rows.Set.Observe(b.rows)
		b.day.Rows.Add(b.rows, copyNumber)
	}
	b.days.Day(b.day.Name).Progress(n, 0, 0)
}

// write writes a checkpoint as the owner does: after all appended records are acknowledged.
func (b *checkpointTestbed) write() error {
	if err := b.session.Session.Flush(b.t.Context()); err != nil {
		b.t.Fatal(err)
	}
	b.steps = nil
	err := b.checkpointer.write(b.t.Context(), []*transfer.Day{b.day}, func() *ledger.Service { return new(ledger.Service) })
	if err == nil {
		b.days.Saved()
	}
	return err
}

// loaded reads the ledger and returns the number of the day's fingerprints.
func (b *checkpointTestbed) loaded() (*ledger.State, int) {
	b.t.Helper()
	state, err := b.stored.Load(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	day := state.Days[b.day.Name]
	if day == nil {
		return state, 0
	}
	set, err := b.stored.LoadSet(b.t.Context(), b.day.Name, day)
	if err != nil {
		b.t.Fatal(err)
	}
	return state, set.Rows()
}

// TestCheckpointer_Order: fingerprints, days and the checkpoint are written in this order. The
// ledger then has the rows and the end offset of each topic.
func TestCheckpointer_Order(t *testing.T) {
	t.Parallel()
	b := newCheckpointTestbed(t)
	for round := range 3 {
		b.publish(10)
		if err := b.write(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"fingerprints", "days", "checkpointed"}, b.steps); diff != "" {
			t.Errorf("steps (-want +got):\n%s", diff)
		}
		state, rows := b.loaded()
		if want := 10 * (round + 1); rows != want || state.Days[b.day.Name].Published != want {
			t.Errorf("the ledger has %d fingerprints of %d rows, want %d", rows, state.Days[b.day.Name].Published, want)
		}
		log, err := b.stored.Cluster.Log(t.Context(), b.partitions.rows)
		if err != nil {
			t.Fatal(err)
		}
		if got := state.Checkpoint.Marks()[b.partitions.rows].Next; got != log.End {
			t.Errorf("the checkpoint's offset for the topic of rows is %d, its end offset %d", got, log.End)
		}
		if b.day.Rows.Dirty() {
			t.Error("the day has unsaved rows after a checkpoint")
		}
	}
}

// TestCheckpointer_FailsAnywhere lets each acknowledgement fail: the next attempt writes
// everything, and no range of fingerprints includes records of the failed attempt.
func TestCheckpointer_FailsAnywhere(t *testing.T) {
	t.Parallel()
	for flushes := range 2 {
		t.Run(fmt.Sprintf("after %d flushes", flushes), func(t *testing.T) {
			t.Parallel()
			b := newCheckpointTestbed(t)
			b.publish(5)
			if err := b.write(); err != nil {
				t.Fatal(err)
			}
			b.publish(7)
			b.session.left = flushes
			if err := b.write(); !errors.Is(err, errNotAcknowledged) {
				t.Fatalf("%v, want %v", err, errNotAcknowledged)
			}
			if flushes == 0 && !b.day.Rows.Dirty() {
				t.Error("fingerprints count as saved that were not acknowledged")
			}
			b.publish(1)
			if err := b.write(); err != nil {
				t.Fatal(err)
			}
			if state, rows := b.loaded(); rows != 13 || state.Days[b.day.Name].Published != 13 {
				t.Errorf("the ledger has %d fingerprints of %d rows, want 13", rows, state.Days[b.day.Name].Published)
			}
		})
	}
}

// TestCheckpointer_KeepsMarks: offsets of partitions and days that this owner did not recover
// are copied from the previous checkpoint.
func TestCheckpointer_KeepsMarks(t *testing.T) {
	t.Parallel()
	b := newCheckpointTestbed(t)
	elsewhere := ledger.Mark{Topic: "other", Partition: 2, Next: 42}
	b.carried[recordbatch.TopicPartition{Topic: "other", Partition: 2}] = elsewhere
	b.carriedDays = map[string]map[schema.Day]int{"other": {today - 1: 3}}
	b.publish(1)
	if err := b.write(); err != nil {
		t.Fatal(err)
	}
	state, _ := b.loaded()
	if got := state.Checkpoint.Marks()[recordbatch.TopicPartition{Topic: "other", Partition: 2}].Next; got != elsewhere.Next {
		t.Errorf("the mark of a partition that was not recovered is %d, want %d", got, elsewhere.Next)
	}
	if diff := cmp.Diff(map[string]map[schema.Day]int{"other": {today - 1: 3}, "events": {today: 0}}, state.Checkpoint.Days); diff != "" {
		t.Errorf("days of the checkpoint (-want +got):\n%s", diff)
	}
}
