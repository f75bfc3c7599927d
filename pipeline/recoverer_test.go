package pipeline

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"dfinery-kafka/pipeline/ledger"
	"dfinery-kafka/pipeline/ledger/store"
	"dfinery-kafka/pipeline/recordbatch"
	"dfinery-kafka/pipeline/recovery"
	"dfinery-kafka/pipeline/schedule"
	"dfinery-kafka/pipeline/transfer"
	"dfinery-kafka/schema"
)

// publish appends rows of a day's export n to the topic of events. The rows are numbered from
// first.
func (b *testbed) publish(o *owner, day schema.Day, n, first, count int) {
	b.t.Helper()
	rows, err := senders(o.session, o.partitions.of("events"))
	b.must(err)
	for i := range count {
		id := schema.AppendID(nil, schema.BadFingerprint(fmt.Append(nil, first+i)), 1)
		b.must(rows[0].Append([]byte("k"), recordbatch.Bytes([]byte("{}")), []recordbatch.Header{{Key: []byte("id"), Value: id},
			{Key: []byte("export"), Value: fmt.Appendf(nil, "1234/events/%s/%d", day, n)}}))
	}
	b.must(o.session.Flush(b.t.Context()))
}

// TestRecoverer_Recover recovers rows that were published after the last checkpoint, and all
// rows if the ledger is lost.
func TestRecoverer_Recover(t *testing.T) {
	for name, test := range map[string]struct {
		lost   bool
		want   int // rows
		logged string
	}{
		"behind the checkpoint": {false, 2, `level=INFO msg="recovered rows that were published after the last checkpoint" rows=2 days=1`},
		"the ledger is lost":    {true, 5, `level=ERROR msg="the ledger was lost: it is rebuilt from the topics`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newTestbed(t)
				day := schema.DayOf(time.Now(), planned)
				o := b.takeOver()
				b.must(newRecoverer(o).recover(t.Context(), b.load()))
				b.publish(o, day, 1, 0, 3)
				b.must(o.checkpoints.write(t.Context(), nil, func() *ledger.Service { return new(ledger.Service) }))
				b.publish(o, day, 2, 3, 2)
				o.session.Close()

				next := b.takeOver()
				state := b.load()
				if test.lost {
					state = ledger.NewState(0)
				}
				b.must(newRecoverer(next).recover(t.Context(), state))
				at := ledger.DayName{Stream: "events", Day: day}
				if d := next.schedule.Record(at); d.Published != test.want || d.Exports != 2 {
					t.Errorf("the day has %d rows of %d exports, want %d of 2", d.Published, d.Exports, test.want)
				}
				if !next.transfers.Day(at).Rows.Dirty() {
					t.Error("the rows are not in memory for the next checkpoint")
				}
				if got, end := next.checkpoints.knownPosition(next.partitions.of("events")[0]).Next, b.end("events"); got != end {
					t.Errorf("the next checkpoint's offset for events is %d, the end offset %d", got, end)
				}
				if _, read := next.checkpoints.positions[next.partitions.of("users")[0]]; read {
					t.Error("the topic of a stream with MODE=changes is read by recovery; only its exports should read it")
				}
				b.expectLogged(1, test.logged)
			})
		})
	}
}

// TestRecoverer_MissingDays: days that are in the checkpoint but no longer in the ledger are
// recovered from the topic, from their first export. Days of a stream whose topic can't be read,
// or that is not configured, are left to a later owner.
func TestRecoverer_MissingDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTestbed(t)
		o := b.takeOver()
		day := schema.DayOf(time.Now(), planned)
		lists := map[string]map[schema.Day]int{
			"events": {day - 40: 1, day - 2: 3, day - 1: 0, day: 0}, "users": {day: 2}, "former": {day - 3: 1},
		}
		state := ledger.NewState(0)
		state.Checkpoint = &ledger.Checkpoint{Days: lists}
		state.Days[ledger.DayName{Stream: "events", Day: day}] = new(ledger.Day)
		o.schedule.Stream("users").Block("gone")
		missing := newRecoverer(o).missingDays(state)
		want := map[ledger.DayName]bool{{Stream: "events", Day: day - 2}: true, {Stream: "events", Day: day - 1}: true}
		if diff := cmp.Diff(want, missing); diff != "" {
			t.Errorf("missing (-want +got):\n%s", diff)
		}
		if from := o.schedule.Record(ledger.DayName{Stream: "events", Day: day - 2}).From; from != 3 {
			t.Errorf("the day is recovered from export %d, want 3", from)
		}
		if diff := cmp.Diff(map[string]map[schema.Day]int{"users": lists["users"], "former": lists["former"]}, o.checkpoints.carriedDays); diff != "" {
			t.Errorf("days for a later owner (-want +got):\n%s", diff)
		}
		b.expectLogged(1, fmt.Sprintf("stream=events days=2 first=%s last=%s", day-2, day-1))
	})
}

// TestRecoverer_Reports: losses that recovery finds are logged as errors, with the command
// that publishes lost rows again.
func TestRecoverer_Reports(t *testing.T) {
	today := schema.DayOf(time.Now(), planned)
	at := func(topic string) recordbatch.TopicPartition {
		return recordbatch.TopicPartition{Topic: topic, Partition: 2}
	}
	for name, test := range map[string]struct {
		finding recovery.Finding
		want    []string
	}{
		"rows are lost": {recovery.Finding{Kind: recovery.Lost, Partition: at("events"), How: "it ends at 3"}, []string{
			"Kafka has lost acknowledged rows of a stream", "how=\"it ends at 3\"", fmt.Sprintf("backfill events --from %s --to %s --again", today-3, today-1),
		}},
		"rows of a stream without any in reach": {recovery.Finding{Kind: recovery.Lost, Partition: at("quiet")}, []string{
			"Kafka has lost acknowledged rows of a stream", "the API no longer has the published days",
		}},
		"dead letters are lost": {recovery.Finding{Kind: recovery.Lost, Partition: at("dead")}, []string{"Kafka has lost acknowledged dead letters"}},
		"rows have expired":     {recovery.Finding{Kind: recovery.Expired, Partition: at("events"), From: 3, To: 9}, []string{"may be published twice", "checkpoint=3 log_start=9"}},
		"records can't be read": {recovery.Finding{Kind: recovery.Holes, Partition: at("events"), From: 3, To: 9}, []string{"may be published twice", "records=6"}},
	} {
		t.Run(name, func(t *testing.T) {
			var logged bytes.Buffer
			configs := []schedule.StreamConfig{{Name: "events", Topic: "events", Kind: schema.Event}, {Name: "quiet", Topic: "quiet", Kind: schema.Event}}
			days := schedule.New(configs, schedule.Policy{Location: planned}, time.Now())
			for back, published := range map[schema.Day]int{40: 5, 3: 1, 2: 0, 1: 7, 0: 0} {
				days.Day(ledger.DayName{Stream: "events", Day: today - back}).Progress(published, 0, 0)
			}
			r := &recoverer{
				streams:  []transfer.Stream{{StreamConfig: configs[0]}, {StreamConfig: configs[1]}},
				location: planned, ledger: new(store.Ledger), schedule: days, log: slog.New(slog.NewTextHandler(&logged, nil)),
			}
			r.report([]recovery.Finding{test.finding})
			for _, want := range append(test.want, "level=ERROR", test.finding.Partition.Topic) {
				if !strings.Contains(logged.String(), want) {
					t.Errorf("the log lacks %q:\n%s", want, logged.String())
				}
			}
		})
	}
}
